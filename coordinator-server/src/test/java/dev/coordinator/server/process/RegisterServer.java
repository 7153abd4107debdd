// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A {@link GuardedRegister} that other processes use over TCP, one line a request: {@code read
 * CLIENT TOKEN} and {@code write CLIENT TOKEN VALUE}. It answers with the value, or with -1 if the
 * token is stale.
 */
final class RegisterServer implements AutoCloseable {

  /** Nobody is between its read and its write. */
  static final int NOBODY = -1;

  private final GuardedRegister register;
  private final ServerSocket server;
  private final AtomicInteger reader = new AtomicInteger(NOBODY);
  private final AtomicInteger refused = new AtomicInteger();

  RegisterServer(GuardedRegister register) throws IOException {
    this.register = register;
    this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    daemon(this::acceptAll);
  }

  int port() {
    return server.getLocalPort();
  }

  /** The client that has read last and not written yet. */
  int reader() {
    return reader.get();
  }

  /** Requests with a stale token. */
  int refused() {
    return refused.get();
  }

  private void acceptAll() {
    try {
      while (true) {
        Socket socket = server.accept();
        daemon(() -> serve(socket));
      }
    } catch (IOException e) {
      // Closed.
      return;
    }
  }

  private void serve(Socket socket) {
    try (socket;
        var in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        var out = new PrintWriter(socket.getOutputStream(), true, StandardCharsets.US_ASCII)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        long answer = answer(line.split(" "));
        if (answer < 0) {
          refused.incrementAndGet();
        }
        out.println(answer);
      }
    } catch (IOException e) {
      // The client is gone.
      return;
    }
  }

  private long answer(String[] request) {
    int client = Integer.parseInt(request[1]);
    long token = Long.parseLong(request[2]);
    if (request[0].equals("read")) {
      long value = register.read(token);
      reader.set(client);
      return value;
    }
    long value = Long.parseLong(request[3]);
    reader.compareAndSet(client, NOBODY);
    return register.write(token, value) ? value : -1;
  }

  private static void daemon(Runnable task) {
    Thread thread = new Thread(task, "register");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
