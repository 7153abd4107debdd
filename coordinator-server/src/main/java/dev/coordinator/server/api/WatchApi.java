// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.WatchSpec;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchRequest.TargetCase;
import dev.coordinator.v1.WatchResponse;
import dev.coordinator.v1.WatchServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Serves {@code WatchService} from this member's own copy of the log. */
final class WatchApi extends WatchServiceGrpc.WatchServiceImplBase {

  private static final long PROGRESS_INTERVAL_MS = 1_000;

  private final CoordinatorNode node;
  private final ApiSettings settings;
  private final Headers headers;
  private final Statuses statuses;
  private final AtomicInteger watches = new AtomicInteger();
  private final Set<WatchStream> wantProgress = ConcurrentHashMap.newKeySet();

  /**
   * @param scheduler sends the marks of progress; owned by the caller
   */
  WatchApi(
      CoordinatorNode node,
      ApiSettings settings,
      Headers headers,
      Statuses statuses,
      ScheduledExecutorService scheduler) {
    this.node = node;
    this.settings = settings;
    this.headers = headers;
    this.statuses = statuses;
    scheduler.scheduleWithFixedDelay(
        () -> wantProgress.forEach(WatchStream::sendProgress),
        PROGRESS_INTERVAL_MS,
        PROGRESS_INTERVAL_MS,
        TimeUnit.MILLISECONDS);
  }

  @Override
  public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
    WatchSpec spec = spec(request);
    if (watches.incrementAndGet() > settings.maxWatches()) {
      watches.decrementAndGet();
      throw statuses.limitReached("limits.maxWatches", settings.maxWatches());
    }
    var stream =
        new WatchStream(
            (ServerCallStreamObserver<WatchResponse>) observer,
            () -> headers.of(node.status().raft()),
            statuses,
            this::ended);
    if (request.getProgress()) {
      wantProgress.add(stream);
    }
    stream.follow(node.watch(spec, stream));
  }

  private void ended(WatchStream stream) {
    wantProgress.remove(stream);
    watches.decrementAndGet();
  }

  private static WatchSpec spec(WatchRequest request) {
    Validation.require(
        request.getTargetCase() != TargetCase.TARGET_NOT_SET,
        "target",
        "name or prefix must be set; an empty prefix watches all locks");
    boolean prefix = request.getTargetCase() == TargetCase.PREFIX;
    String name =
        prefix
            ? Validation.atMostBytes("prefix", request.getPrefix(), Validation.MAX_LOCK_NAME_BYTES)
            : Validation.lockName("name", request.getName());
    Validation.require(request.getStartRevision() >= 0, "start_revision", "must be at most 2^63-1");
    Validation.require(
        request.getStartRevision() == 0 || !request.getInitialState(),
        "start_revision",
        "excludes initial_state");
    var kinds = EnumSet.noneOf(WatchSpec.Kind.class);
    for (LockEvent.Kind kind : request.getKindsList()) {
      kinds.add(kind(kind));
    }
    return new WatchSpec(
        name, prefix, kinds, request.getStartRevision(), request.getInitialState());
  }

  private static WatchSpec.Kind kind(LockEvent.Kind kind) {
    return switch (kind) {
      case KIND_ACQUIRED -> WatchSpec.Kind.ACQUIRED;
      case KIND_RELEASED -> WatchSpec.Kind.RELEASED;
      case KIND_EXPIRED -> WatchSpec.Kind.EXPIRED;
      case KIND_REVOKED -> WatchSpec.Kind.REVOKED;
      case KIND_UNSPECIFIED, UNRECOGNIZED ->
          throw Validation.invalid("kinds", "must be kinds of coordinator.v1.LockEvent.Kind");
    };
  }
}
