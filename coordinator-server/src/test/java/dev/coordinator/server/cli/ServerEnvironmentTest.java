// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ServerEnvironmentTest {

  @Test
  void keepsKeysAndMisspeltKeys() {
    Map<String, String> kept =
        Map.of(
            "COORDINATOR_DATA_DIR",
            "x",
            "COORDINATOR_LISTEN_HTTP",
            "off",
            "COORDINATOR_DATADIR",
            "y");
    assertEquals(kept, ServerEnvironment.configuration(kept));
  }

  @Test
  void leavesOutWhatOthersSet() {
    assertEquals(
        Set.of(),
        ServerEnvironment.configuration(
                Map.of(
                    "COORDINATOR_ENDPOINTS", "a:1",
                    "COORDINATOR_TOKEN", "7",
                    "COORDINATOR_SERVICE_HOST", "10.0.0.1",
                    "COORDINATOR_SERVICE_PORT", "7420",
                    "COORDINATOR_SERVICE_PORT_GRPC", "7420",
                    "COORDINATOR_PORT", "tcp://10.0.0.1:7420",
                    "COORDINATOR_PORT_7420_TCP_ADDR", "10.0.0.1",
                    "COORDINATOR_CLIENT_SERVICE_HOST", "10.0.0.2"))
            .keySet());
  }
}
