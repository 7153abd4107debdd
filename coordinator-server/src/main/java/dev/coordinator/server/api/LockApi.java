// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.metrics.SequencerMetrics;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.PendingCall;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockRequest.LeaseCase;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.CheckSequencerResponse;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.ListLocksRequest;
import dev.coordinator.v1.ListLocksResponse;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Serves {@code LockService}. */
final class LockApi extends LockServiceGrpc.LockServiceImplBase {

  /** Most of a call's time that is kept back for the answer that the wait was in vain. */
  private static final long MAX_ANSWER_MARGIN_MS = 100;

  private static final int ANSWER_MARGIN_FRACTION = 5;

  private final CoordinatorNode node;
  private final ApiSettings settings;
  private final Headers headers;
  private final SequencerMetrics metrics;
  private final Answers answers;

  LockApi(
      CoordinatorNode node,
      ApiSettings settings,
      Headers headers,
      Statuses statuses,
      SequencerMetrics metrics) {
    this.node = node;
    this.settings = settings;
    this.headers = headers;
    this.metrics = metrics;
    this.answers = new Answers(statuses);
  }

  @Override
  public void acquireLock(
      AcquireLockRequest request, StreamObserver<AcquireLockResponse> observer) {
    Command.AcquireLock command = acquire(request);
    PendingCall call = node.submit(command);
    if (command.waitMs() != 0 && !isRepeatable(command)) {
      ((ServerCallStreamObserver<AcquireLockResponse>) observer)
          .setOnCancelHandler(() -> node.cancelWait(command.name(), call));
    }
    answers.send(call.future(), observer, this::acquired);
  }

  /**
   * Whether its caller can find the wait again, and thus must not lose its place in the queue by
   * the end of a connection.
   */
  private static boolean isRepeatable(Command.AcquireLock command) {
    return command.ownLease() == null
        ? !command.requestId().isNone()
        : !command.ownLease().nonce().isEmpty();
  }

  private Command.AcquireLock acquire(AcquireLockRequest request) {
    String name = Validation.lockName("name", request.getName());
    String owner =
        Validation.atMostBytes("owner", request.getOwner(), Validation.MAX_LOCK_OWNER_BYTES);
    String metadata =
        Validation.atMostBytes("metadata", request.getMetadata(), Validation.MAX_METADATA_BYTES);
    var requestId = Validation.requestId(request.hasRequestId(), request.getRequestId());
    long waitMs = waitMs(request);
    if (request.getLeaseCase() == LeaseCase.LEASE_ID) {
      Validation.require(
          request.getNonce().isEmpty(), "nonce", "goes with ttl; use request_id with lease_id");
      long leaseId = Validation.leaseId(request.getLeaseId());
      return new Command.AcquireLock(name, leaseId, null, owner, waitMs, metadata, requestId);
    }
    Validation.require(
        request.getLeaseCase() == LeaseCase.TTL, "lease", "lease_id or ttl must be set");
    Validation.require(requestId.isNone(), "request_id", "goes with lease_id; use nonce with ttl");
    var ownLease =
        new Command.GrantLease(
            Validation.ttlMs("ttl", request.hasTtl(), request.getTtl(), settings),
            owner,
            Validation.atMostBytes("nonce", request.getNonce(), Validation.MAX_NONCE_BYTES));
    boolean capped =
        waitMs == Command.AcquireLock.UNLIMITED || waitMs > settings.maxOwnLeaseWaitMs();
    return new Command.AcquireLock(
        name,
        0,
        ownLease,
        owner,
        capped ? settings.maxOwnLeaseWaitMs() : waitMs,
        metadata,
        requestId);
  }

  private static long waitMs(AcquireLockRequest request) {
    if (request.hasWaitTimeout()) {
      return Validation.waitMs("wait_timeout", request.getWaitTimeout());
    }
    Deadline deadline = Context.current().getDeadline();
    if (deadline == null) {
      return Command.AcquireLock.UNLIMITED;
    }
    long remainingMs = Math.max(0, deadline.timeRemaining(TimeUnit.MILLISECONDS));
    if (remainingMs > Command.MAX_DURATION_MS) {
      return Command.AcquireLock.UNLIMITED;
    }
    return remainingMs - Math.min(MAX_ANSWER_MARGIN_MS, remainingMs / ANSWER_MARGIN_FRACTION);
  }

  private AcquireLockResponse acquired(Answered<Outcome> answer) {
    var response = AcquireLockResponse.newBuilder().setHeader(headers.of(answer));
    if (answer.value() instanceof Outcome.LockNotAcquired lock) {
      response.setOutcome(
          lock.timedOut()
              ? AcquireLockResponse.Outcome.OUTCOME_TIMED_OUT
              : AcquireLockResponse.Outcome.OUTCOME_HELD_BY_OTHER);
      if (lock.holder() != null) {
        response.setHolder(Views.holder(lock.holder(), answer.clusterTimeMs()));
      }
      return response.build();
    }
    var lock = Statuses.expect(Outcome.LockAcquired.class, answer.value());
    return response
        .setOutcome(
            lock.alreadyHeld()
                ? AcquireLockResponse.Outcome.OUTCOME_ALREADY_HELD
                : AcquireLockResponse.Outcome.OUTCOME_ACQUIRED)
        .setToken(lock.token())
        .setLeaseId(lock.leaseId())
        .build();
  }

  @Override
  public void releaseLock(
      ReleaseLockRequest request, StreamObserver<ReleaseLockResponse> observer) {
    var command =
        new Command.ReleaseLock(
            Validation.lockName("name", request.getName()),
            Validation.leaseId(request.getLeaseId()),
            Validation.atMostBytes("owner", request.getOwner(), Validation.MAX_LOCK_OWNER_BYTES),
            // Tokens are log indexes; 0 stands for whatever cannot be one, and fits no lock.
            Math.max(0, request.getToken()),
            Validation.requestId(request.hasRequestId(), request.getRequestId()));
    answers.send(node.submit(command).future(), observer, this::released);
  }

  private ReleaseLockResponse released(Answered<Outcome> answer) {
    Statuses.expect(Outcome.LockReleased.class, answer.value());
    return ReleaseLockResponse.newBuilder().setHeader(headers.of(answer)).build();
  }

  @Override
  public void getLock(GetLockRequest request, StreamObserver<GetLockResponse> observer) {
    String name = Validation.lockName("name", request.getName());
    answers.send(
        read(request.getStale(), view -> view.lock(name)),
        observer,
        answer -> {
          var response =
              GetLockResponse.newBuilder().setHeader(headers.of(answer, request.getStale()));
          answer
              .value()
              .ifPresent(lock -> response.setLock(Views.lock(lock, answer.clusterTimeMs())));
          return response.build();
        });
  }

  @Override
  public void listLocks(ListLocksRequest request, StreamObserver<ListLocksResponse> observer) {
    String prefix =
        Validation.atMostBytes("prefix", request.getPrefix(), Validation.MAX_LOCK_NAME_BYTES);
    String after =
        Validation.atMostBytes(
            "after_name", request.getAfterName(), Validation.MAX_LOCK_NAME_BYTES);
    int pageSize = Validation.pageSize(request.getPageSize());
    answers.send(
        read(request.getStale(), view -> view.locks(prefix, after, pageSize + 1)),
        observer,
        answer -> {
          var page =
              Page.of(answer.value(), pageSize, lock -> Views.lock(lock, answer.clusterTimeMs()));
          return ListLocksResponse.newBuilder()
              .setHeader(headers.of(answer, request.getStale()))
              .addAllLocks(page.items())
              .setMore(page.more())
              .build();
        });
  }

  @Override
  public void checkSequencer(
      CheckSequencerRequest request, StreamObserver<CheckSequencerResponse> observer) {
    String name = Validation.lockName("name", request.getName());
    answers.send(
        node.read(view -> view.lock(name).map(LockView::holder).map(LockView.Holder::token)),
        observer,
        answer -> {
          long current = answer.value().orElse(0L);
          boolean valid = current != 0 && current == request.getToken();
          metrics.checked(valid);
          return CheckSequencerResponse.newBuilder()
              .setHeader(headers.of(answer))
              .setValid(valid)
              .setCurrentToken(current)
              .build();
        });
  }

  private <T> CompletableFuture<Answered<T>> read(boolean stale, Function<MachineView, T> query) {
    return stale ? node.staleRead(query) : node.read(query);
  }
}
