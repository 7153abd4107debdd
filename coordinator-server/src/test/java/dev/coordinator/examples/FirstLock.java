// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.examples;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.LeaderElection;
import dev.coordinator.client.Session;
import java.time.Duration;
import java.util.Optional;

/** The examples of README.md. ReadmeTest runs them and compares them with what is printed there. */
final class FirstLock {

  /** A resource that refuses tokens smaller than one it has seen. */
  interface Storage {
    void write(long token, String text);
  }

  private FirstLock() {}

  static void takeLock(String[] endpoints, Storage storage) throws InterruptedException {
    // README: lock
    try (CoordinatorClient client = CoordinatorClient.connect(endpoints);
        Session session = client.newSession(Duration.ofSeconds(10))) {

      // Waits in the queue, first come, first served. tryAcquire() does not wait.
      Optional<HeldLock> lock = session.lock("backups/db").acquire(Duration.ofSeconds(30));
      if (lock.isEmpty()) {
        throw new IllegalStateException("somebody else makes a backup");
      }
      try (HeldLock held = lock.get()) {
        // The storage refuses a token smaller than one it has seen: that guards it even from a
        // process that was paused past its lease and does not know it yet.
        storage.write(held.token(), "backup");
        held.ensure(Duration.ofSeconds(1)); // throws if the lock may not last that long
      }
    }
    // README: end
  }

  static LeaderElection lead(CoordinatorClient client, Storage storage) {
    // README: election
    LeaderElection election =
        LeaderElection.builder(client, "scheduler/leader")
            .ttl(Duration.ofSeconds(10))
            .onElected(
                leadership -> {
                  // Runs while this process leads; interrupted when it does not any more.
                  while (leadership.isValid()) {
                    storage.write(leadership.token(), "tick");
                    Thread.sleep(100);
                  }
                })
            .start(); // close() resigns
    // README: end
    return election;
  }
}
