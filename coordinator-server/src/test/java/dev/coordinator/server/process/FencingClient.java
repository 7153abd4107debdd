// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.LeaseExpiredException;
import dev.coordinator.client.Session;
import dev.coordinator.client.SessionState;
import dev.coordinator.client.UnavailableException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One process of {@link FencingTrial}: takes the lock, reads the register, writes back one more,
 * gives the lock back, and so on for ever.
 */
final class FencingClient {

  private static final String LOCK = "register";

  /** What its holder does between reading and writing. */
  private static final long WORK_MS = 10;

  private final int number;
  private final Duration ttl;
  private final boolean looksBeforeWriting;
  private final BufferedReader in;
  private final PrintWriter out;

  private FencingClient(int number, Duration ttl, boolean looksBeforeWriting, Socket register)
      throws IOException {
    this.number = number;
    this.ttl = ttl;
    this.looksBeforeWriting = looksBeforeWriting;
    this.in =
        new BufferedReader(
            new InputStreamReader(register.getInputStream(), StandardCharsets.US_ASCII));
    this.out = new PrintWriter(register.getOutputStream(), true, StandardCharsets.US_ASCII);
  }

  /** NUMBER TTL_MS LOOKS_BEFORE_WRITING REGISTER_PORT ENDPOINT... */
  public static void main(String[] args) throws Exception {
    List<String> endpoints = List.of(args).subList(4, args.length);
    try (CoordinatorClient client = CoordinatorClient.builder().endpoints(endpoints).build();
        Socket register = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[3]))) {
      new FencingClient(
              Integer.parseInt(args[0]),
              Duration.ofMillis(Long.parseLong(args[1])),
              Boolean.parseBoolean(args[2]),
              register)
          .run(client);
    }
  }

  private void run(CoordinatorClient client) throws IOException, InterruptedException {
    Session session = null;
    while (true) {
      try {
        if (session == null || session.state() == SessionState.EXPIRED) {
          session = client.newSession(ttl);
        }
        HeldLock held = session.lock(LOCK).acquire();
        raise(held);
        held.close();
      } catch (LeaseExpiredException stopped) {
        session = null;
      } catch (UnavailableException again) {
        TimeUnit.MILLISECONDS.sleep(WORK_MS);
      }
    }
  }

  private void raise(HeldLock held) throws IOException, InterruptedException {
    long value = ask("read " + number + " " + held.token());
    TimeUnit.MILLISECONDS.sleep(WORK_MS);
    if (value >= 0 && (!looksBeforeWriting || held.isHeld())) {
      ask("write " + number + " " + held.token() + " " + (value + 1));
    }
  }

  private long ask(String request) throws IOException {
    out.println(request);
    String answer = in.readLine();
    if (answer == null) {
      throw new IOException("the register is gone");
    }
    return Long.parseLong(answer);
  }
}
