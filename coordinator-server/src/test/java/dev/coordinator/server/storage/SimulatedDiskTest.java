// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The disk that other tests trust must itself lose what a real one loses, and nothing else. */
final class SimulatedDiskTest {

  private static final int SEEDS = 500;

  private static byte[] filled(int bytes, int value) {
    byte[] data = new byte[bytes];
    Arrays.fill(data, (byte) value);
    return data;
  }

  @Test
  void whatWasForcedSurvivesAndTheRestMayNot() throws IOException {
    Set<String> outcomes = new HashSet<>();
    for (int seed = 0; seed < SEEDS; seed++) {
      SimulatedDisk disk = new SimulatedDisk();
      DiskFile file = disk.create("a");
      disk.syncDirectory();
      file.write(ByteBuffer.wrap(filled(1024, 1)), 0);
      file.force();
      file.write(ByteBuffer.wrap(filled(1024, 2)), 1024);
      disk.powerCut(new SplittableRandom(seed));
      byte[] content = disk.content("a");
      assertArrayEquals(filled(1024, 1), Arrays.copyOf(content, 1024));
      byte[] rest = Arrays.copyOfRange(content, 1024, 2048);
      boolean firstSector = rest[0] == 2 && rest[511] == 2;
      boolean secondSector = rest[512] == 2 && rest[1023] == 2;
      boolean tornSector = rest[0] == 2 && rest[511] == 0 || rest[512] == 2 && rest[1023] == 0;
      outcomes.add(firstSector + " " + secondSector + " " + tornSector);
    }
    assertTrue(
        outcomes.containsAll(
            List.of(
                "false false false",
                "true false false",
                "false true false",
                "true true false",
                "false false true",
                "true false true")),
        outcomes.toString());
  }

  @Test
  void aNameSurvivesOnlyOnceTheDirectoryIsSynced() throws IOException {
    Set<List<String>> outcomes = new HashSet<>();
    for (int seed = 0; seed < SEEDS; seed++) {
      SimulatedDisk disk = new SimulatedDisk();
      disk.create("kept");
      disk.syncDirectory();
      disk.create("x");
      disk.rename("x", "y");
      disk.powerCut(new SplittableRandom(seed));
      outcomes.add(disk.list());
    }
    assertEquals(Set.of(List.of("kept"), List.of("kept", "x"), List.of("kept", "y")), outcomes);
  }

  @Test
  void aKilledProcessCannotWriteOnButItsWritesStay() throws IOException {
    SimulatedDisk disk = new SimulatedDisk();
    DiskFile file = disk.create("a");
    file.write(ByteBuffer.wrap(filled(10, 1)), 0);
    disk.kill();
    assertArrayEquals(filled(10, 1), disk.content("a"));
    assertThrows(IOException.class, () -> file.write(ByteBuffer.wrap(filled(10, 2)), 0));
  }

  @Test
  void afterAFailedForceALaterOneWritesNothing() throws IOException {
    SimulatedDisk disk = new SimulatedDisk();
    DiskFile file = disk.create("a");
    disk.syncDirectory();
    file.write(ByteBuffer.wrap(filled(10, 1)), 0);
    disk.setFault(
        (operation, name) -> {
          throw new IOException("Input/output error");
        });
    assertThrows(IOException.class, file::force);
    disk.setFault(SimulatedDisk.Fault.NONE);
    file.force();
    assertArrayEquals(filled(10, 1), disk.content("a"));
    disk.powerCut(new SplittableRandom(1));
    assertArrayEquals(filled(10, 0), disk.content("a"));
  }

  @Test
  void aFullDiskTakesWhatFits() throws IOException {
    SimulatedDisk disk = new SimulatedDisk();
    disk.setCapacityBytes(15);
    DiskFile file = disk.create("a");
    file.write(ByteBuffer.wrap(filled(10, 1)), 0);
    assertThrows(IOException.class, () -> file.write(ByteBuffer.wrap(filled(10, 2)), 10));
    assertEquals(15, file.size());
    file.write(ByteBuffer.wrap(filled(10, 3)), 5);
  }
}
