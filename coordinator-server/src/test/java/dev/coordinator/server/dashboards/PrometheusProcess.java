// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.dashboards;

import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.coordinator.server.ExtraTools;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real Prometheus in a process of its own. */
final class PrometheusProcess implements AutoCloseable {

  private static final long START_LIMIT_S = 60;

  private final HttpClient http = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();
  private final Process process;
  private final String address;
  private final Path log;

  private PrometheusProcess(Process process, String address, Path log) {
    this.process = process;
    this.address = address;
    this.log = log;
  }

  static PrometheusProcess start(Path config, Path directory) throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String address = "127.0.0.1:" + port;
    Path log = directory.resolve("prometheus.log");
    Process process =
        new ProcessBuilder(
                tool("prometheus"),
                "--config.file=" + config,
                "--storage.tsdb.path=" + directory.resolve("tsdb"),
                "--web.listen-address=" + address)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    PrometheusProcess prometheus = new PrometheusProcess(process, address, log);
    try {
      prometheus.awaitReady();
    } catch (Exception | Error e) {
      prometheus.close();
      throw e;
    }
    return prometheus;
  }

  /** The path of a program, or a failure that says what to install. */
  static String tool(String name) {
    return ExtraTools.find(name, "on Debian: apt-get install prometheus");
  }

  private void awaitReady() throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_LIMIT_S);
    while (System.nanoTime() - end < 0) {
      if (!process.isAlive()) {
        fail("Prometheus did not start: " + Files.readString(log));
      }
      try {
        if (get("/-/ready").statusCode() == 200) {
          return;
        }
      } catch (IOException e) {
        // Not listening yet.
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
    fail("Prometheus was not ready within " + START_LIMIT_S + " s: " + Files.readString(log));
  }

  /** The values of an instant query; fails if Prometheus calls it an error. */
  List<Double> query(String expression) throws IOException, InterruptedException {
    HttpResponse<String> response =
        get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
    JsonNode answer = json.readTree(response.body());
    if (!answer.path("status").asText().equals("success")) {
      fail("'" + expression + "' is an error: " + answer.path("error").asText());
    }
    return answer.path("data").path("result").findValues("value").stream()
        .map(value -> Double.valueOf(value.get(1).asText().replace("Inf", "Infinity")))
        .toList();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://" + address + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
