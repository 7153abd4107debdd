// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/** The answers of one round, handed to the reply executor together as one task. */
final class Replies {

  private final Executor executor;
  private List<Runnable> gathered = new ArrayList<>();

  Replies(Executor executor) {
    this.executor = executor;
  }

  void add(Runnable reply) {
    gathered.add(reply);
  }

  void flush() {
    if (gathered.isEmpty()) {
      return;
    }
    List<Runnable> round = gathered;
    gathered = new ArrayList<>();
    executor.execute(
        () -> {
          for (Runnable reply : round) {
            reply.run();
          }
        });
  }
}
