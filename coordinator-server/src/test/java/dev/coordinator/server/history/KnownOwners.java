// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What any of the operations on a lock tells of who got which token. Used to complete the answers
 * that tell only the token: which acquisition without an answer they speak of needs no guess then.
 */
final class KnownOwners {

  private final Map<Long, String> byToken = new HashMap<>();

  static List<Operation> addedTo(List<Operation> operations) {
    KnownOwners owners = new KnownOwners();
    operations.forEach(owners::learn);
    return operations.stream().map(owners::completed).toList();
  }

  private void learn(Operation operation) {
    Result result = operation.result();
    if (operation.action() instanceof Action.Acquire acquire) {
      if (result instanceof Result.Granted granted) {
        byToken.put(granted.token(), acquire.owner());
      } else if (result instanceof Result.AlreadyHeld held) {
        byToken.put(held.token(), acquire.owner());
      }
    }
    if (operation.action() instanceof Action.Release release && result instanceof Result.Released) {
      byToken.put(release.token(), release.owner());
    }
    if (result instanceof Result.Seen seen) {
      learn(seen.holder());
    } else if (result instanceof Result.NotAcquired refused) {
      learn(refused.holder());
    }
  }

  private void learn(Holder holder) {
    if (holder != null && holder.owner() != null) {
      byToken.put(holder.token(), holder.owner());
    }
  }

  private Operation completed(Operation operation) {
    Result result = operation.result();
    if (result instanceof Result.Seen seen && lacksOwner(seen.holder())) {
      return with(operation, new Result.Seen(completed(seen.holder())));
    } else if (result instanceof Result.NotAcquired refused && lacksOwner(refused.holder())) {
      return with(operation, new Result.NotAcquired(completed(refused.holder())));
    } else if (result instanceof Result.NotOwner refused && lacksOwner(refused.holder())) {
      return with(operation, new Result.NotOwner(completed(refused.holder())));
    }
    return operation;
  }

  private boolean lacksOwner(Holder holder) {
    return holder != null && holder.owner() == null && byToken.containsKey(holder.token());
  }

  private Holder completed(Holder holder) {
    return new Holder(holder.token(), byToken.get(holder.token()));
  }

  private static Operation with(Operation operation, Result result) {
    return new Operation(
        operation.client(),
        operation.action(),
        result,
        operation.invokedNanos(),
        operation.returnedNanos());
  }
}
