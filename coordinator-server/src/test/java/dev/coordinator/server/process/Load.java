// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.client.CoordinatorClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** Clients that keep a cluster busy, all in this process, one stretch after the other. */
final class Load implements AutoCloseable {

  private static final int CLIENTS = 3;
  private static final int WORKERS = 40;
  private static final int LOCKS = 48;
  private static final Duration LONG_TTL = Duration.ofMinutes(1);
  private static final Duration END_LIMIT = Duration.ofMinutes(3);

  private final Testbed testbed;
  private final Tally tally;
  private final List<CoordinatorClient> clients = new ArrayList<>();
  private final List<LoadWorker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private Stretch stretch;
  private int stretches;

  /**
   * @param pauseMs mean pause of each worker between two rounds
   */
  Load(Testbed testbed, SplittableRandom random, int pauseMs, Tally tally) {
    this.testbed = testbed;
    this.tally = tally;
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(CoordinatorClient.builder().endpoints(testbed.endpoints()).build());
    }
    for (int i = 0; i < WORKERS; i++) {
      // Half of them lose their leases whenever the cluster is away for a while.
      Duration ttl = i % 2 == 0 ? LONG_TTL : Duration.ofMillis(random.nextInt(1_500, 5_000));
      workers.add(
          new LoadWorker(
              "client-" + i,
              clients.get(i % CLIENTS),
              testbed.hosts(),
              ttl,
              pauseMs,
              random.split(),
              tally));
    }
  }

  /** Lets the clients work on fresh locks. */
  void begin() {
    stretches++;
    stretch = new Stretch("stretch-" + stretches, LOCKS);
    for (LoadWorker worker : workers) {
      worker.assign(stretch);
      Thread thread = new Thread(worker, "client-" + threads.size());
      threads.add(thread);
      thread.start();
    }
  }

  /** Stops if a client has seen what cannot be true. */
  void requireNoViolation() {
    stretch.requireNoFailure();
  }

  /** Once the cluster has recovered: lets the clients stop, and checks what they were told. */
  void endAndCheck() throws InterruptedException {
    stretch.end();
    long endNanos = System.nanoTime() + END_LIMIT.toNanos();
    for (Thread thread : threads) {
      thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(endNanos - System.nanoTime())));
      if (thread.isAlive()) {
        throw new Violation(
            "a client of a healthy cluster waits in %s", List.of(thread.getStackTrace()));
      }
    }
    threads.clear();
    for (String name : stretch.names()) {
      for (Host host : testbed.hosts()) {
        awaitRead(name, host);
      }
    }
    stretch.check();
  }

  private void awaitRead(String name, Host host) {
    long endNanos = System.nanoTime() + END_LIMIT.toNanos();
    while (!LoadWorker.read(name, host, stretch, tally)) {
      if (System.nanoTime() - endNanos > 0) {
        throw new Violation("member %d of a healthy cluster does not answer", host.memberId());
      }
    }
  }

  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    clients.forEach(CoordinatorClient::close);
  }
}
