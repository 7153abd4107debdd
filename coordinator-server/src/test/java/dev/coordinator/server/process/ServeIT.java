// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.FreePorts;
import dev.coordinator.server.cli.local.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program, with the log that people read. */
@Tag("process")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ServeIT {

  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

  @TempDir Path directory;

  @Test
  void whatAMemberHasToSayAsItEndsIsInItsLog() throws Exception {
    Process member = start();
    try {
      while (!log().text().contains("-> LEADER")) {
        assertTrue(member.isAlive(), log()::text);
        TimeUnit.MILLISECONDS.sleep(50);
      }
      member.destroy();
      assertEquals(143, member.waitFor(), log()::text);
      assertTrue(log().text().endsWith("member 1 has stopped\n"), log()::text);
    } finally {
      member.destroyForcibly();
    }
  }

  private Process start() throws IOException {
    List<Integer> ports = FreePorts.take(3);
    return ChildJvm.start(
        List.of(
            JAVA,
            "-jar",
            Path.of("target", "coordinator.jar").toAbsolutePath().toString(),
            "serve",
            "--data-dir=" + directory.resolve("data"),
            "--listen-client=127.0.0.1:" + ports.get(0),
            "--listen-peer=127.0.0.1:" + ports.get(1),
            "--listen-http=127.0.0.1:" + ports.get(2)),
        log().file());
  }

  private ChildLog log() {
    return new ChildLog(directory.resolve("log.txt"));
  }
}
