// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A generic gRPC client, {@code buf curl}, that knows nothing but what server reflection tells it.
 */
@Tag("extra-tools")
class ReflectionClientTest {

  private static final int NOT_FOUND = 5;

  @TempDir Path directory;

  private record Answer(int exitCode, String output) {

    JsonNode json() {
      try {
        return new ObjectMapper().readTree(output);
      } catch (IOException e) {
        throw new AssertionError(output, e);
      }
    }
  }

  private static Answer call(String address, String method, String request)
      throws IOException, InterruptedException {
    Process buf =
        new ProcessBuilder(
                ExtraTools.find("buf", "with npm: npm install @bufbuild/buf"),
                "curl",
                "--http2-prior-knowledge",
                "--protocol",
                "grpc",
                "-d",
                request,
                "http://" + address + "/coordinator.v1." + method)
            .redirectErrorStream(true)
            .start();
    String output = new String(buf.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Answer(buf.waitFor(), output);
  }

  @Test
  void takesAndReleasesALockAtALeaderAndAtAFollower() throws Exception {
    try (InProcessCluster cluster = InProcessCluster.start(directory, 3, Map.of())) {
      int leader = cluster.awaitLeader();
      long lastToken = 0;
      for (int member : List.of(leader, cluster.awaitFollower())) {
        String address = cluster.clientAddress(member);

        JsonNode acquired =
            call(address, "LockService/AcquireLock", "{\"name\":\"a/b\",\"ttl\":\"30s\"}").json();
        assertEquals("OUTCOME_ACQUIRED", acquired.path("outcome").asText());
        long token = acquired.path("token").asLong();
        assertTrue(token > lastToken, () -> "token " + token);
        lastToken = token;

        String release =
            "{\"name\":\"a/b\",\"lease_id\":%s,\"token\":%d}"
                .formatted(acquired.path("leaseId").asText(), token);
        Answer released = call(address, "LockService/ReleaseLock", release);
        assertEquals(0, released.exitCode(), released.output());

        // buf ends with eight times the status code.
        Answer again = call(address, "LockService/ReleaseLock", release);
        assertEquals(8 * NOT_FOUND, again.exitCode(), again.output());
      }
    }
  }
}
