// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.ReleaseLockRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.inprocess.InProcessChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How calls find the leader, and what becomes of them when it changes, dies or freezes. */
class LeaderFollowingTest {

  private static final Duration TTL = Duration.ofSeconds(30);

  private final FakeCluster cluster = new FakeCluster(3);

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void oneEndpointIsEnoughToFindTheLeader() throws Exception {
    cluster.elect(3);
    try (CoordinatorClient client = cluster.client(1).build()) {
      client.locks().get("a");
      Eventually.until("members learned", () -> client.cluster().knownAddresses().size() == 3);
      Eventually.until(
          "calls go to the leader directly",
          () -> {
            client.locks().get("a");
            List<Integer> asked = cluster.membersAsked(GetLockRequest.class);
            return asked.get(asked.size() - 1) == 3;
          });
    }
  }

  @Test
  void aFollowerThatDoesNotPassCallsOnNamesTheLeader() {
    cluster.elect(3);
    cluster.keepMembersSecret();
    cluster.setForwarding(false);
    try (CoordinatorClient client = cluster.client(1).build()) {
      assertEquals(Optional.empty(), client.locks().get("a"));
      assertEquals(Optional.empty(), client.locks().get("a"));
      assertEquals(List.of(1, 3), turns(cluster.membersAsked(GetLockRequest.class)));
    }
  }

  /** Whom the client turned to: on a slow machine it may ask the same member more than once. */
  private static List<Integer> turns(List<Integer> asked) {
    List<Integer> turns = new ArrayList<>();
    for (int member : asked) {
      if (turns.isEmpty() || turns.get(turns.size() - 1) != member) {
        turns.add(member);
      }
    }
    return turns;
  }

  @Test
  void aLeaderThatStepsDownIsLeft() {
    cluster.keepMembersSecret();
    cluster.setForwarding(false);
    try (CoordinatorClient client = cluster.client(1).build()) {
      client.locks().get("a");
      cluster.elect(2);
      client.locks().get("a");
      assertEquals(List.of(1, 2), turns(cluster.membersAsked(GetLockRequest.class)));
    }
  }

  @Test
  void callsWaitForAnElection() {
    cluster.elect(0);
    try (CoordinatorClient client = cluster.client().build()) {
      CompletableFuture<Session> opening = client.newSessionAsync(TTL);
      assertFalse(opening.isDone());
      cluster.elect(2);
      assertNotEquals(0, opening.orTimeout(10, TimeUnit.SECONDS).join().leaseId());
    }
  }

  @Test
  void aCallWithoutALeaderFailsWhenItsTimeIsOverAndHadNoEffect() {
    cluster.elect(0);
    try (CoordinatorClient client = cluster.client().callTimeout(Duration.ofMillis(200)).build()) {
      UnavailableException failure =
          assertThrows(UnavailableException.class, () -> client.newSession(TTL));
      assertEquals(Reason.NO_LEADER, failure.reason());
      assertTrue(failure.outcomeKnown());
    }
  }

  @Test
  void aRepeatedAcquisitionKeepsItsNumberAndIsGrantedOnce() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session session = client.newSession(TTL)) {
      cluster.loseNextAnswer();
      try (HeldLock held = session.lock("a").acquire()) {
        List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
        assertTrue(sent.size() >= 2, "repeated");
        assertEquals(Set.of(sent.get(0)), Set.copyOf(sent));
        assertEquals(1, cluster.state().events().size());
        assertEquals(cluster.state().events().get(0).getToken(), held.token());
      }
    }
  }

  @Test
  void aRepeatedReleaseKeepsItsNumberAndDoesNotFail() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session session = client.newSession(TTL)) {
      HeldLock held = session.lock("a").acquire();
      cluster.loseNextAnswer();
      held.release().get(10, TimeUnit.SECONDS);
      List<ReleaseLockRequest> sent = cluster.requests(ReleaseLockRequest.class);
      assertTrue(sent.size() >= 2, "repeated");
      assertEquals(Set.of(sent.get(0)), Set.copyOf(sent));
      assertTrue(cluster.state().isFree("a"));
    }
  }

  @Test
  void aRepeatedGrantFindsTheSameLease() {
    try (CoordinatorClient client = cluster.client().build()) {
      cluster.loseNextAnswer();
      try (Session session = client.newSession(TTL)) {
        assertTrue(cluster.state().isAlive(session.leaseId()));
        assertEquals(1, cluster.state().leaseCount());
        List<GrantLeaseRequest> sent = cluster.requests(GrantLeaseRequest.class);
        assertEquals(sent.get(0).getNonce(), sent.get(1).getNonce());
      }
    }
  }

  @Test
  void aPlainCallIsNotRepeatedOnceItMayHaveTakenEffect() {
    try (CoordinatorClient client = cluster.client().build()) {
      LeaseGrant lease = client.leases().grant(TTL, "test");
      cluster.loseNextAnswer();
      UnavailableException failure =
          assertThrows(
              UnavailableException.class,
              () -> client.locks().acquire("a", lease.id(), "me", Duration.ZERO));
      assertFalse(failure.outcomeKnown());
      assertEquals(Reason.OUTCOME_UNKNOWN, failure.reason());
      assertEquals(1, cluster.requests(AcquireLockRequest.class).size());
    }
  }

  @Test
  void anOverloadedMemberIsAskedAgain() {
    try (CoordinatorClient client = cluster.client().build()) {
      cluster.refuseNext(FakeError.of(ErrorReason.ERROR_REASON_OVERLOADED));
      LeaseGrant lease = client.leases().grant(TTL, "test");
      cluster.refuseNext(FakeError.of(ErrorReason.ERROR_REASON_OVERLOADED));
      // An overloaded member did nothing, so even a plain call may be repeated.
      assertTrue(client.locks().acquire("a", lease.id(), "me", Duration.ZERO).isPresent());
    }
  }

  @Test
  void aRefusalTellsReasonAndDetails() {
    try (CoordinatorClient client = cluster.client().build()) {
      cluster.refuseNext(FakeError.of(ErrorReason.ERROR_REASON_INVALID_FIELD, "field", "ttl"));
      CoordinatorException refused =
          assertThrows(CoordinatorException.class, () -> client.newSession(TTL));
      assertEquals(Reason.INVALID_FIELD, refused.reason());
      assertEquals("ttl", refused.details().get("field"));
    }
  }

  @Test
  void aWaitGoesOnElsewhereWhenTheLeaderIsKilled() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session first = client.newSession(TTL);
        Session second = client.newSession(TTL)) {
      HeldLock held = first.lock("a").acquire();
      CompletableFuture<HeldLock> waiting = second.lock("a").acquireAsync();
      Eventually.until("queued", () -> cluster.state().waiters("a") == 1);
      cluster.member(1).kill();
      cluster.elect(2);
      held.release().get(10, TimeUnit.SECONDS);
      assertTrue(waiting.get(10, TimeUnit.SECONDS).token() > held.token());
    }
  }

  @Test
  void aFrozenLeaderIsNoticedWhileAWaitIsInItsQueue() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session first = client.newSession(TTL);
        Session second = client.newSession(TTL)) {
      HeldLock held = first.lock("a").acquire();
      CompletableFuture<HeldLock> waiting = second.lock("a").acquireAsync();
      Eventually.until("queued", () -> cluster.state().waiters("a") == 1);
      cluster.member(1).freeze();
      cluster.elect(2);
      held.release().get(10, TimeUnit.SECONDS);
      HeldLock next = waiting.get(10, TimeUnit.SECONDS);
      assertTrue(next.token() > held.token());
      List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
      assertEquals(sent.get(1), sent.get(sent.size() - 1));
    }
  }

  @Test
  void aFailureOfTheWatchOverCallsDoesNotEndIt() throws Exception {
    Trap trap =
        new Trap(
            TimeSource.system(),
            "LeaderChannel.tick",
            () -> {
              throw new IllegalStateException("planned by the test");
            });
    try (CoordinatorClient client = cluster.client().timeSource(trap).build()) {
      client.locks().get("a");
      Eventually.until("members learned", () -> client.cluster().knownAddresses().size() == 3);
      cluster.member(1).freeze();
      CompletableFuture<Optional<LockInfo>> call = client.locks().getAsync("a");
      Eventually.until("failed", trap::isSprung);
      cluster.elect(2);
      assertEquals(Optional.empty(), call.get(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void callbacksRunOnThreadsOfTheClientWhenTheirExecutorIsShutDown() throws Exception {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try (CoordinatorClient client = cluster.client().executor(executor).build();
        Session session = client.newSession(TTL)) {
      HeldLock held = session.lock("a").acquire();
      executor.shutdown();
      CompletableFuture<Thread> told = new CompletableFuture<>();
      held.onLost(reason -> told.complete(Thread.currentThread()));
      cluster.state().takeAway("a");
      held.verify();
      assertTrue(told.get(10, TimeUnit.SECONDS).getName().startsWith("coordinator-late-callback"));
    }
  }

  @Test
  void aHintThatNamesADeadLeaderIsNotFollowed() throws Exception {
    try (CoordinatorClient client = cluster.client().build()) {
      client.locks().get("a");
      Eventually.until("members learned", () -> client.cluster().knownAddresses().size() == 3);
      cluster.member(1).kill();
      // The others still believe in it for a while.
      CompletableFuture<Optional<LockInfo>> call = client.locks().getAsync("b");
      Eventually.until(
          "others asked",
          () -> cluster.membersAsked(GetLockRequest.class).stream().anyMatch(id -> id != 1));
      cluster.elect(2);
      assertEquals(Optional.empty(), call.get(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void aMemberIsAskedForItsStatusAndNobodyElse() {
    try (CoordinatorClient client = cluster.client().build()) {
      MemberStatus status = client.cluster().status(cluster.address(2));
      assertEquals(2, status.memberId());
      assertEquals(MemberStatus.Role.FOLLOWER, status.role());
      cluster.member(2).kill();
      assertThrows(UnavailableException.class, () -> client.cluster().status(cluster.address(2)));
      assertEquals(3, client.cluster().members().size());
    }
  }

  @Test
  void aCancelledCallIsNotRepeated() throws Exception {
    cluster.elect(0);
    try (CoordinatorClient client = cluster.client().build()) {
      CompletableFuture<Optional<LockInfo>> call = client.locks().getAsync("a");
      Eventually.until("tried", () -> cluster.requests(GetLockRequest.class).size() > 3);
      call.cancel(true);
      // One may be on its way.
      int before = cluster.requests(GetLockRequest.class).size() + 1;
      CompletableFuture<Optional<LockInfo>> later = client.locks().getAsync("b");
      Eventually.until("another one tried", () -> requestsFor("b") > 10);
      assertTrue(requestsFor("a") <= before);
      later.cancel(true);
    }
  }

  private long requestsFor(String name) {
    return cluster.requests(GetLockRequest.class).stream()
        .filter(request -> request.getName().equals(name))
        .count();
  }

  @Test
  void aCancelledQuestionToAMemberIsBrokenOff() throws Exception {
    try (CoordinatorClient client = cluster.client().timeSource(new ManualTime()).build()) {
      cluster.member(2).withholdStatus();
      CompletableFuture<MemberStatus> asking = client.cluster().statusAsync(cluster.address(2));
      Eventually.until("asked", () -> cluster.membersAsked(GetStatusRequest.class).contains(2));
      asking.cancel(true);
      Eventually.until("broken off", () -> cluster.brokenOff() > 0);
    }
  }

  @Test
  void closingTheClientFailsCallsThatAreBeingRepeated() throws Exception {
    cluster.elect(0);
    CoordinatorClient client = cluster.client().callTimeout(Duration.ofMinutes(5)).build();
    CompletableFuture<Session> opening = client.newSessionAsync(TTL);
    Eventually.until("tried", () -> cluster.requests(GrantLeaseRequest.class).size() > 3);
    client.close();
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> opening.get(10, TimeUnit.SECONDS));
    assertEquals(Reason.CLOSED, ((CoordinatorException) failure.getCause()).reason());
  }

  @Test
  void callsDoNotInheritTheContextOfTheirCaller() {
    try (CoordinatorClient client = cluster.client().build()) {
      LeaseGrant lease = client.leases().grant(TTL, "test");
      Context.CancellableContext handler = Context.current().withCancellation();
      handler.cancel(null);
      handler.run(
          () ->
              assertTrue(client.locks().acquire("a", lease.id(), "me", Duration.ZERO).isPresent()));
    }
  }

  @Test
  void futuresOfAClosedClientComplete() throws Exception {
    CoordinatorClient client = cluster.client().build();
    Session session = client.newSession(TTL);
    HeldLock held = session.lock("a").acquire();
    client.close();
    List<CompletableFuture<?>> late =
        List.of(
            client.newSessionAsync(TTL),
            client.locks().getAsync("a"),
            session.lock("a").acquireAsync(),
            session.lock("a").tryAcquireAsync(),
            held.release());
    for (CompletableFuture<?> future : late) {
      assertThrows(ExecutionException.class, () -> future.get(10, TimeUnit.SECONDS));
    }
    session.closeAsync().get(10, TimeUnit.SECONDS);
    CompletableFuture<LockLostException> told = new CompletableFuture<>();
    held.onLost(told::complete);
    assertEquals(held.token(), told.get(10, TimeUnit.SECONDS).token());
  }

  @Test
  void aClosedClientConnectsToNobody() {
    List<String> connected = new CopyOnWriteArrayList<>();
    CoordinatorClient client =
        cluster
            .client()
            .connector(
                address -> {
                  connected.add(address);
                  return InProcessChannelBuilder.forName(address).directExecutor().build();
                })
            .build();
    client.close();
    int before = connected.size();
    for (String address : List.of(cluster.address(1), "unknown")) {
      CompletableFuture<MemberStatus> asking = client.cluster().statusAsync(address);
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> asking.get(10, TimeUnit.SECONDS));
      assertEquals(Reason.CLOSED, ((CoordinatorException) failure.getCause()).reason());
    }
    assertEquals(before, connected.size());
  }

  @Test
  void aMemberThatEndsACallWithoutAnAnswerGaveNone() throws Exception {
    try (CoordinatorClient client =
        cluster
            .client()
            .connector(
                address ->
                    InProcessChannelBuilder.forName(address)
                        .directExecutor()
                        .intercept(new Swallowing())
                        .build())
            .build()) {
      CompletableFuture<MemberStatus> asking = client.cluster().statusAsync(cluster.address(1));
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> asking.get(10, TimeUnit.SECONDS));
      assertEquals(UnavailableException.class, failure.getCause().getClass());
    }
  }

  /** Lets no message through. */
  private static final class Swallowing implements ClientInterceptor {

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<R> listener, Metadata headers) {
          super.start(
              new SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onMessage(R message) {
                  // Swallowed.
                }
              },
              headers);
        }
      };
    }
  }

  @Test
  void aClosedClientSaysSo() {
    CoordinatorClient client = cluster.client().build();
    client.close();
    CoordinatorException failure =
        assertThrows(CoordinatorException.class, () -> client.locks().get("a"));
    assertEquals(Reason.CLOSED, failure.reason());
    assertThrows(CoordinatorException.class, () -> client.newSession(TTL));
  }
}
