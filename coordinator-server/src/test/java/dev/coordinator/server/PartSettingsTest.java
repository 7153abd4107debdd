// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.storage.snapshot.SnapshotConfig;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PartSettingsTest {

  @Test
  void limitsOfSnapshotsComeFromTheConfiguration() {
    var config =
        ServerConfig.of(
            Map.of(
                "raft.maxSnapshotChunkSize", "64KiB",
                "limits.maxSnapshotSize", "3GiB",
                "limits.maxWaitingSnapshotParts", "7"));
    assertEquals(new SnapshotConfig(64 << 10, 3L << 30, 7), new PartSettings(config).snapshots());
  }
}
