// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.coordinator.client.StaleTokenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuardedFileTest {

  @TempDir private Path directory;

  private Path path() {
    return directory.resolve("work.txt");
  }

  @Test
  void refusesATokenOnceALargerOneWasClaimed() throws IOException {
    GuardedFile file = new GuardedFile(path());
    assertEquals(0, file.claim(5));
    file.append(5, 1, "a");
    assertEquals(1, new GuardedFile(path()).claim(9));
    StaleTokenException stale =
        assertThrows(StaleTokenException.class, () -> file.append(5, 2, "a"));
    assertEquals(9, stale.highest());
    assertThrows(StaleTokenException.class, () -> file.claim(8));
    file.append(9, 2, "b");
    assertEquals(List.of("5 1 a", "9 2 b"), Files.readAllLines(path()));
  }

  @Test
  void cutsOffWhatAKilledWriterLeft() throws IOException {
    GuardedFile file = new GuardedFile(path());
    file.claim(5);
    file.append(5, 1, "a");
    file.append(5, 2, "a");
    Files.writeString(path(), "5 3", StandardOpenOption.APPEND);
    assertEquals(2, file.claim(6));
    file.append(6, 3, "b");
    assertEquals(List.of("5 1 a", "5 2 a", "6 3 b"), Files.readAllLines(path()));
  }

  @Test
  void tokensAreUnsigned() throws IOException {
    GuardedFile file = new GuardedFile(path());
    file.claim(Long.MAX_VALUE);
    file.claim(-1);
    assertThrows(StaleTokenException.class, () -> file.claim(Long.MAX_VALUE));
  }
}
