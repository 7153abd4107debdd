// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.coordinator.server.config.Address;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The HTTP port for machines that look after members: {@code /metrics} for Prometheus, {@code
 * /livez} (the process works) and {@code /readyz} (it can answer calls).
 */
final class HttpEndpoint {

  private static final int THREADS = 4;
  private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
  private static final String TEXT_TYPE = "text/plain; charset=utf-8";

  static {
    // The JDK's server waits for ever for a request that never ends, unless told otherwise.
    for (String property : new String[] {"maxReqTime", "maxRspTime"}) {
      String name = "sun.net.httpserver." + property;
      if (System.getProperty(name) == null) {
        System.setProperty(name, "10");
      }
    }
  }

  private final HttpServer server;
  private final ExecutorService executor;

  /** Opens the port. Answers come once {@link #start} was called. */
  HttpEndpoint(Address listen, Supplier<String> metrics, BooleanSupplier ready) throws IOException {
    server = HttpServer.create(PartSettings.socketAddress(listen), 0);
    executor =
        Executors.newFixedThreadPool(
            THREADS,
            task -> {
              var thread = new Thread(task, "http");
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(executor);
    server.createContext("/", exchange -> answer(exchange, 404, TEXT_TYPE, "not found\n"));
    server.createContext(
        "/metrics", exchange -> answer(exchange, 200, METRICS_TYPE, metrics.get()));
    server.createContext("/livez", exchange -> answer(exchange, 200, TEXT_TYPE, "ok\n"));
    server.createContext(
        "/readyz",
        exchange -> {
          if (ready.getAsBoolean()) {
            answer(exchange, 200, TEXT_TYPE, "ok\n");
          } else {
            answer(exchange, 503, TEXT_TYPE, "no leader is known\n");
          }
        });
  }

  private static void answer(HttpExchange exchange, int code, String type, String text)
      throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        exchange.sendResponseHeaders(405, -1);
        return;
      }
      byte[] body = text.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      if (method.equals("HEAD")) {
        exchange.sendResponseHeaders(code, -1);
      } else {
        exchange.sendResponseHeaders(code, body.length);
        exchange.getResponseBody().write(body);
      }
    }
  }

  void start() {
    server.start();
  }

  int port() {
    return server.getAddress().getPort();
  }

  void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
