// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.Blocking;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.ProtoRecords;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.CheckSequencerResponse;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.ListLocksRequest;
import dev.coordinator.v1.ListLocksResponse;
import dev.coordinator.v1.ReleaseLockRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/**
 * The bare lock calls, for tools and for resources that check tokens. An application wants {@link
 * Session#lock}.
 *
 * <p>The calls wait for their answer and throw {@link CoordinatorException}; an interrupt ends the
 * wait with {@link CoordinatorException.Reason#INTERRUPTED}. Thread-safe.
 */
public final class LockOperations {

  private static final int PAGE_SIZE = 1_000;

  private final ClientCore core;

  LockOperations(ClientCore core) {
    this.core = core;
  }

  /**
   * Takes a lock for a lease and owner of the caller's choice; gives the token, or nothing if the
   * lock did not become free within {@code wait}; more than 100 years are without limit. The
   * request carries no number, so it is not repeated once it may have taken effect.
   */
  public OptionalLong acquire(String name, long leaseId, String owner, Duration wait) {
    Duration limit = Waits.checked(wait);
    AcquireLockRequest.Builder request =
        AcquireLockRequest.newBuilder().setName(name).setLeaseId(leaseId).setOwner(owner);
    if (limit != null) {
      request.setWaitTimeout(ProtoRecords.duration(limit));
    }
    CallPolicy policy =
        new CallPolicy(
            false, !wait.isZero(), limit == null ? null : limit.plus(core.callTimeout()));
    AcquireLockResponse response =
        Blocking.get(core.channel().call(Rpc.ACQUIRE_LOCK, request.build(), policy));
    boolean acquired =
        response.getOutcome() == Outcome.OUTCOME_ACQUIRED
            || response.getOutcome() == Outcome.OUTCOME_ALREADY_HELD;
    return acquired ? OptionalLong.of(response.getToken()) : OptionalLong.empty();
  }

  /**
   * Gives a lock back on behalf of whoever holds it; all four must be those of the holder. Not
   * repeated once it may have taken effect.
   */
  public void release(String name, long leaseId, String owner, long token) {
    ReleaseLockRequest request =
        ReleaseLockRequest.newBuilder()
            .setName(name)
            .setLeaseId(leaseId)
            .setOwner(owner)
            .setToken(token)
            .build();
    Blocking.get(
        core.channel().call(Rpc.RELEASE_LOCK, request, CallPolicy.once(core.callTimeout())));
  }

  /** Shows the holder and the queue of a lock; empty if nobody holds it or waits for it. */
  public Optional<LockInfo> get(String name) {
    return lock(Blocking.get(read(name)));
  }

  /** As {@link #get}. */
  public CompletableFuture<Optional<LockInfo>> getAsync(String name) {
    return core.handOver(read(name), LockOperations::lock, ignored -> {});
  }

  private CompletableFuture<GetLockResponse> read(String name) {
    GetLockRequest request = GetLockRequest.newBuilder().setName(name).build();
    return core.channel().call(Rpc.GET_LOCK, request, policy());
  }

  private static Optional<LockInfo> lock(GetLockResponse response) {
    return response.hasLock()
        ? Optional.of(ProtoRecords.lock(response.getLock()))
        : Optional.empty();
  }

  /**
   * Lists the locks whose names begin with the prefix; all if it is empty. Read in pages, so the
   * list as a whole is no snapshot of one moment.
   */
  public List<LockInfo> list(String prefix) {
    List<LockInfo> locks = new ArrayList<>();
    String after = "";
    boolean more = true;
    while (more) {
      ListLocksResponse page =
          Blocking.get(
              core.channel()
                  .call(
                      Rpc.LIST_LOCKS,
                      ListLocksRequest.newBuilder()
                          .setPrefix(prefix)
                          .setAfterName(after)
                          .setPageSize(PAGE_SIZE)
                          .build(),
                      policy()));
      locks.addAll(ProtoRecords.locks(page.getLocksList()));
      more = page.getMore() && page.getLocksCount() > 0;
      after = more ? page.getLocks(page.getLocksCount() - 1).getName() : after;
    }
    return locks;
  }

  /** Tells whether a token is that of the present holder. */
  public TokenCheck check(String name, long token) {
    CheckSequencerRequest request =
        CheckSequencerRequest.newBuilder().setName(name).setToken(token).build();
    CheckSequencerResponse response =
        Blocking.get(core.channel().call(Rpc.CHECK_SEQUENCER, request, policy()));
    return new TokenCheck(response.getValid(), response.getCurrentToken());
  }

  private CallPolicy policy() {
    return CallPolicy.repeatable(core.callTimeout());
  }
}
