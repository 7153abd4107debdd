// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.Session;
import dev.coordinator.client.SessionState;
import dev.coordinator.client.TokenCheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Holds locks through everything that happens between two looks at them. */
final class Keeper implements AutoCloseable {

  /** Longer than any cluster may take to recover. */
  private static final Duration TTL = Duration.ofMinutes(10);

  private static final int LOCKS = 10;

  private final CoordinatorClient client;
  private final Session session;
  private final List<HeldLock> kept = new ArrayList<>();
  private int rounds;

  Keeper(List<String> endpoints) {
    client =
        CoordinatorClient.builder().endpoints(endpoints).callTimeout(Duration.ofMinutes(1)).build();
    session = client.newSession(TTL);
  }

  /** Takes some locks. */
  void take() throws InterruptedException {
    rounds++;
    for (int i = 0; i < LOCKS; i++) {
      kept.add(session.lock("kept-" + rounds + "/" + i).acquire());
    }
  }

  /** Looks whether the cluster still knows them, and gives them back. */
  void checkAndRelease() {
    if (session.state() == SessionState.EXPIRED) {
      throw new Violation("a session of %s ended before its time", TTL);
    }
    for (HeldLock held : kept) {
      TokenCheck check = client.locks().check(held.name(), held.token());
      if (!check.valid()) {
        throw new Violation(
            "%s was granted with token %d and not given back, but its token is now %d",
            held.name(), held.token(), check.currentToken());
      }
      held.close();
    }
    kept.clear();
  }

  @Override
  public void close() {
    client.close();
  }
}
