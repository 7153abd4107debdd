// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import com.google.protobuf.Message;
import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.CheckSequencerResponse;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import dev.coordinator.v1.ResponseHeader;
import dev.coordinator.v1.RevokeLeaseRequest;
import dev.coordinator.v1.RevokeLeaseResponse;
import dev.coordinator.v1.Role;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import dev.coordinator.v1.WatchServiceGrpc;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** One fake member: gRPC services over the shared {@link FakeState}. */
final class FakeMember {

  private static final Metadata.Key<String> LEADER_KEY =
      Metadata.Key.of("coordinator-leader", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> CLUSTER_KEY =
      Metadata.Key.of("coordinator-cluster", Metadata.ASCII_STRING_MARSHALLER);

  private final FakeCluster cluster;
  private final int id;
  private final Set<FakeWatch> watches = ConcurrentHashMap.newKeySet();
  private Server server;
  private volatile boolean alive;
  private volatile boolean frozen;
  private volatile boolean keepAliveAnswered = true;
  private volatile boolean statusWithheld;

  FakeMember(FakeCluster cluster, int id) {
    this.cluster = cluster;
    this.id = id;
  }

  int id() {
    return id;
  }

  void start() {
    try {
      server =
          InProcessServerBuilder.forName(cluster.address(id))
              .intercept(new Behaviour())
              .addService(new Leases())
              .addService(new Locks())
              .addService(new Watches())
              .addService(new Cluster())
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    frozen = false;
    alive = true;
  }

  /** Breaks every connection; what is asked afterwards fails at once. */
  void kill() {
    alive = false;
    server.shutdownNow();
    watches.clear();
  }

  /** Says nothing from now on, and does nothing, but keeps its connections. */
  void freeze() {
    frozen = true;
  }

  void thaw() {
    frozen = false;
  }

  /** Whether renewals get answers. */
  void answerKeepAlives(boolean on) {
    keepAliveAnswered = on;
  }

  /** Gives no answer to who asks for the status. */
  void withholdStatus() {
    statusWithheld = true;
  }

  /** Sends watchers what has happened. */
  void publish() {
    publish(Integer.MAX_VALUE);
  }

  /** Sends watchers the next events, at most so many, in one message. */
  void publish(int most) {
    watches.forEach(watch -> watch.push(most));
  }

  int watchers() {
    return watches.size();
  }

  /** Ends all watch streams as a member does that lost contact with a leader. */
  void endWatches() {
    watches.forEach(watch -> watch.end(FakeError.of(ErrorReason.ERROR_REASON_NO_LEADER)));
    watches.clear();
  }

  private boolean isReachable(int member) {
    return member != 0 && cluster.member(member).alive && !cluster.member(member).frozen;
  }

  private ResponseHeader header() {
    return ResponseHeader.newBuilder()
        .setClusterId(cluster.id())
        .setMemberId(id)
        .setLeaderId(cluster.leader())
        .setRevision(cluster.state().revision())
        .build();
  }

  private <R> void answer(StreamObserver<R> observer, Message request, Supplier<R> work) {
    answerLater(observer, request, () -> CompletableFuture.completedFuture(work.get()));
  }

  private <R> void answerLater(
      StreamObserver<R> observer, Message request, Supplier<CompletableFuture<R>> work) {
    cluster.asked(id, request);
    try {
      checkLeader(request);
      CompletableFuture<R> result = work.get();
      StatusRuntimeException lost = cluster.lostAnswer(request);
      if (lost != null) {
        throw lost;
      }
      result.whenComplete((response, failure) -> finish(observer, response, failure));
    } catch (StatusRuntimeException e) {
      observer.onError(e);
    }
  }

  private static <R> void finish(StreamObserver<R> observer, R response, Throwable failure) {
    if (observer instanceof ServerCallStreamObserver<R> call && call.isCancelled()) {
      return;
    }
    if (failure != null) {
      observer.onError(failure instanceof CompletionException ? failure.getCause() : failure);
    } else {
      observer.onNext(response);
      observer.onCompleted();
    }
  }

  private void checkLeader(Message request) {
    int leader = cluster.leader();
    if (leader != id && !(cluster.isForwarding() && isReachable(leader))) {
      throw isReachable(leader)
          ? FakeError.of(ErrorReason.ERROR_REASON_NOT_LEADER, "leader", cluster.toldAddress(leader))
          : FakeError.of(ErrorReason.ERROR_REASON_NO_LEADER);
    }
    StatusRuntimeException refusal = cluster.nextRefusal(request);
    if (refusal != null) {
      throw refusal;
    }
  }

  /** Names the leader, and says nothing at all while frozen. */
  private final class Behaviour implements ServerInterceptor {

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      if (frozen) {
        return new ServerCall.Listener<>() {};
      }
      String meant = headers.get(CLUSTER_KEY);
      if (meant != null && !meant.equals(cluster.id())) {
        StatusRuntimeException refusal =
            FakeError.of(ErrorReason.ERROR_REASON_WRONG_CLUSTER, "cluster_id", cluster.id());
        Metadata trailers = refusal.getTrailers();
        trailers.put(CLUSTER_KEY, cluster.id());
        call.close(refusal.getStatus(), trailers);
        return new ServerCall.Listener<>() {};
      }
      return next.startCall(
          new SimpleForwardingServerCall<>(call) {

            private boolean named;

            @Override
            public void sendHeaders(Metadata out) {
              named = true;
              out.put(CLUSTER_KEY, cluster.id());
              if (cluster.leader() != id && cluster.leader() != 0 && !cluster.isSecretive()) {
                out.put(LEADER_KEY, cluster.toldAddress(cluster.leader()));
              }
              if (!frozen) {
                super.sendHeaders(out);
              }
            }

            @Override
            public void sendMessage(R message) {
              if (!frozen) {
                super.sendMessage(message);
              }
            }

            @Override
            public void close(Status status, Metadata trailers) {
              if (!named) {
                trailers.put(CLUSTER_KEY, cluster.id());
              }
              if (!frozen) {
                super.close(status, trailers);
              }
            }
          },
          headers);
    }
  }

  private final class Leases extends LeaseServiceGrpc.LeaseServiceImplBase {

    @Override
    public void grantLease(GrantLeaseRequest request, StreamObserver<GrantLeaseResponse> observer) {
      answer(
          observer,
          request,
          () -> cluster.state().grant(request).toBuilder().setHeader(header()).build());
    }

    @Override
    public void revokeLease(
        RevokeLeaseRequest request, StreamObserver<RevokeLeaseResponse> observer) {
      answer(
          observer,
          request,
          () -> cluster.state().end(request.getLeaseId(), LockEvent.Kind.KIND_REVOKED));
    }

    @Override
    public StreamObserver<KeepAliveRequest> keepAlive(StreamObserver<KeepAliveResponse> observer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(KeepAliveRequest request) {
          if (frozen) {
            return;
          }
          cluster.asked(id, request);
          try {
            checkLeader(request);
            if (keepAliveAnswered) {
              observer.onNext(cluster.state().keepAlive(request));
            }
          } catch (StatusRuntimeException e) {
            observer.onError(e);
          }
        }

        @Override
        public void onError(Throwable failure) {
          // The client has gone; there is nobody to tell.
        }

        @Override
        public void onCompleted() {
          observer.onCompleted();
        }
      };
    }
  }

  private final class Locks extends LockServiceGrpc.LockServiceImplBase {

    @Override
    public void acquireLock(
        AcquireLockRequest request, StreamObserver<AcquireLockResponse> observer) {
      ServerCallStreamObserver<AcquireLockResponse> call =
          (ServerCallStreamObserver<AcquireLockResponse>) observer;
      CompletableFuture<CompletableFuture<AcquireLockResponse>> wait = new CompletableFuture<>();
      call.setOnCancelHandler(
          () -> {
            cluster.brokeOff();
            // A member that is dead or frozen takes nothing out of the queue, and a numbered
            // request
            // may have been repeated elsewhere.
            if (alive && !frozen && request.getRequestId().getNumber() == 0) {
              wait.thenAccept(cluster.state()::cancelWait);
            }
          });
      answerLater(
          observer,
          request,
          () -> {
            CompletableFuture<AcquireLockResponse> answer = cluster.state().acquire(request);
            answer.whenComplete((response, failure) -> answered(call, failure));
            wait.complete(answer);
            return answer;
          });
    }

    private void answered(ServerCallStreamObserver<AcquireLockResponse> call, Throwable failure) {
      if (failure != null
          && !call.isCancelled()
          && failure.getMessage().contains(Reason.WAIT_CANCELLED.name())) {
        cluster.toldOfCancelledWait();
      }
    }

    @Override
    public void releaseLock(
        ReleaseLockRequest request, StreamObserver<ReleaseLockResponse> observer) {
      answer(observer, request, () -> cluster.state().release(request));
    }

    @Override
    public void getLock(GetLockRequest request, StreamObserver<GetLockResponse> observer) {
      answer(observer, request, () -> cluster.state().get(request.getName()));
    }

    @Override
    public void checkSequencer(
        CheckSequencerRequest request, StreamObserver<CheckSequencerResponse> observer) {
      answer(observer, request, () -> cluster.state().check(request.getName(), request.getToken()));
    }
  }

  private final class Watches extends WatchServiceGrpc.WatchServiceImplBase {

    @Override
    public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
      cluster.asked(id, request);
      StatusRuntimeException refusal = cluster.nextWatchRefusal();
      if (refusal != null) {
        observer.onError(refusal);
        return;
      }
      FakeWatch watch =
          new FakeWatch(
              cluster.state(), request, (ServerCallStreamObserver<WatchResponse>) observer);
      if (watch.begin(header())) {
        watches.add(watch);
      }
    }
  }

  private final class Cluster extends ClusterServiceGrpc.ClusterServiceImplBase {

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> observer) {
      cluster.asked(id, request);
      if (statusWithheld) {
        ((ServerCallStreamObserver<GetStatusResponse>) observer)
            .setOnCancelHandler(cluster::brokeOff);
        return;
      }
      finish(
          observer,
          GetStatusResponse.newBuilder()
              .setHeader(header())
              .setRole(cluster.leader() == id ? Role.ROLE_LEADER : Role.ROLE_FOLLOWER)
              .build(),
          null);
    }

    @Override
    public void listMembers(
        ListMembersRequest request, StreamObserver<ListMembersResponse> observer) {
      cluster.asked(id, request);
      if (cluster.isSecretive()) {
        finish(observer, ListMembersResponse.getDefaultInstance(), null);
        return;
      }
      ListMembersResponse.Builder response = ListMembersResponse.newBuilder().setHeader(header());
      for (int member = 1; member <= cluster.size(); member++) {
        response.addMembers(
            Member.newBuilder().setMemberId(member).setClientAddress(cluster.toldAddress(member)));
      }
      finish(observer, response.build(), null);
    }
  }

  /** One watch stream, pushed by the test. */
  private static final class FakeWatch {

    private final FakeState state;
    private final WatchRequest request;
    private final ServerCallStreamObserver<WatchResponse> observer;

    /** Everything up to this revision has been sent, and so many events of the next one. */
    private long sent;

    private int sentOfNext;

    FakeWatch(
        FakeState state, WatchRequest request, ServerCallStreamObserver<WatchResponse> observer) {
      this.state = state;
      this.request = request;
      this.observer = observer;
    }

    private String prefix() {
      return request.hasName() ? request.getName() : request.getPrefix();
    }

    synchronized boolean begin(ResponseHeader header) {
      long start = request.getStartRevision();
      if (start > 0 && start < state.oldestRevision()) {
        observer.onError(
            FakeError.of(
                ErrorReason.ERROR_REASON_COMPACTED,
                "oldest_revision",
                "" + state.oldestRevision()));
        return false;
      }
      synchronized (state) {
        sent = start > 0 ? start - 1 : state.revision();
        WatchResponse.Builder first =
            WatchResponse.newBuilder().setHeader(header).setRevision(sent);
        if (request.getInitialState()) {
          first.addAllInitialState(state.heldLocks(prefix()));
        }
        observer.onNext(first.build());
      }
      push(Integer.MAX_VALUE);
      return true;
    }

    synchronized void push(int most) {
      List<LockEvent> left = state.eventsFrom(sent + 1, prefix());
      left = left.subList(sentOfNext, left.size());
      List<LockEvent> events = left.subList(0, Math.min(most, left.size()));
      if (events.isEmpty() || observer.isCancelled()) {
        return;
      }
      long last = events.get(events.size() - 1).getRevision();
      boolean split = events.size() < left.size() && left.get(events.size()).getRevision() == last;
      int ofLast = (int) events.stream().filter(event -> event.getRevision() == last).count();
      sentOfNext = split ? ofLast : 0;
      sent = split ? last - 1 : last;
      observer.onNext(WatchResponse.newBuilder().setRevision(sent).addAllEvents(events).build());
    }

    synchronized void end(StatusRuntimeException failure) {
      if (!observer.isCancelled()) {
        observer.onError(failure);
      }
    }
  }
}
