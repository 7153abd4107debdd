// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static dev.coordinator.server.ClusterTest.acquire;
import static dev.coordinator.server.Errors.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AddMemberRequest;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.ListLeasesRequest;
import dev.coordinator.v1.ListLocksRequest;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.PromoteMemberRequest;
import dev.coordinator.v1.RemoveMemberRequest;
import dev.coordinator.v1.SnapshotRequest;
import dev.coordinator.v1.SnapshotResponse;
import dev.coordinator.v1.TransferLeadershipRequest;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What an operator asks of a cluster over gRPC, and the answers to what makes no sense. */
class OperatorTest {

  @TempDir Path directory;
  private InProcessCluster cluster;

  private void start(int size) throws Exception {
    start(size, Map.of());
  }

  private void start(int size, Map<String, String> configuration) throws Exception {
    cluster = InProcessCluster.start(directory, size, configuration);
    cluster.awaitLeader();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private ClusterServiceGrpc.ClusterServiceBlockingStub operator(int member) {
    return ClusterServiceGrpc.newBlockingStub(cluster.channel(member))
        .withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private List<Member> members(int asked) {
    return operator(asked).listMembers(ListMembersRequest.getDefaultInstance()).getMembersList();
  }

  private List<Long> ids(int asked) {
    return members(asked).stream().map(Member::getMemberId).toList();
  }

  private static AddMemberRequest add(long id, String client, String peer) {
    return AddMemberRequest.newBuilder()
        .setMemberId(id)
        .setClientAddress(client)
        .setPeerAddress(peer)
        .build();
  }

  private static PromoteMemberRequest promote(long id, long replaced) {
    return PromoteMemberRequest.newBuilder().setMemberId(id).setReplacesMemberId(replaced).build();
  }

  private static RemoveMemberRequest remove(long id) {
    return RemoveMemberRequest.newBuilder().setMemberId(id).build();
  }

  private static TransferLeadershipRequest transfer(long id) {
    return TransferLeadershipRequest.newBuilder().setMemberId(id).build();
  }

  @Test
  void membersChangeThroughAFollower() throws Exception {
    start(3);
    int follower = cluster.awaitFollower();
    cluster.join(4);
    change(
        () ->
            operator(follower).addMember(add(4, cluster.clientAddress(4), cluster.peerAddress(4))));
    InProcessCluster.await(
        "the new member to know the cluster",
        () ->
            members(4).stream()
                .anyMatch(member -> member.getMemberId() == 4 && member.getLearner()));

    change(() -> operator(follower).promoteMember(promote(4, 0)));
    InProcessCluster.await(
        "four voters",
        () -> members(follower).stream().filter(member -> !member.getLearner()).count() == 4);

    int leaving = cluster.awaitFollowerOtherThan(4);
    change(() -> operator(4).removeMember(remove(leaving)));
    InProcessCluster.await("its end", () -> !ids(4).contains((long) leaving));
  }

  /**
   * Asks until the change is made. A learner may have to catch up first, and a slow machine may
   * lose its leader, and with it an answer.
   */
  private static void change(Runnable call) {
    var mayBeMade = new AtomicBoolean();
    InProcessCluster.await(
        "the change",
        () -> {
          try {
            call.run();
            return true;
          } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Code.UNAVAILABLE) {
              mayBeMade.set(true);
              return false;
            }
            assertEquals("MEMBERSHIP_CHANGE_REFUSED", Errors.info(e).getReason(), e::toString);
            if (Errors.info(e).getMetadataOrThrow("refusal").equals("ALREADY")) {
              assertTrue(mayBeMade.get(), e::toString);
              return true;
            }
            assertTrue(Errors.retryInfo(e).isPresent(), e::toString);
            return false;
          }
        });
  }

  @Test
  void leadershipIsHandedOverThroughAFollower() throws Exception {
    start(3);
    // Often enough that the new leader is noticed before the answer of the old one comes.
    for (int i = 0; i < 5; i++) {
      int target = cluster.awaitFollower();
      assertEquals(target, handOver(cluster.awaitFollowerOtherThan(target), target));
    }
    int before = cluster.awaitLeader();
    assertNotEquals(before, handOver(cluster.awaitFollower(), 0));
  }

  /** Asks until the leader, which may have just begun to lead, has heard of the member. */
  private long handOver(int asked, int target) {
    var leader = new AtomicLong();
    InProcessCluster.await(
        "the transfer",
        () -> {
          try {
            leader.set(
                operator(asked).transferLeadership(transfer(target)).getHeader().getLeaderId());
            return true;
          } catch (StatusRuntimeException e) {
            assertEquals("MEMBERSHIP_CHANGE_REFUSED", Errors.info(e).getReason(), e::toString);
            assertEquals("NOT_NOW", Errors.info(e).getMetadataOrThrow("refusal"), e::toString);
            return false;
          }
        });
    return leader.get();
  }

  @Test
  void whatMakesNoSenseIsRefusedAndChangesNothing() throws Exception {
    start(1);
    List<Member> before = members(1);
    invalid("member_id", () -> operator(1).addMember(add(0, "a:1", "a:2")));
    invalid("client_address", () -> operator(1).addMember(add(2, "", "a:2")));
    invalid("client_address", () -> operator(1).addMember(add(2, "a:70000", "a:2")));
    invalid("client_address", () -> operator(1).addMember(add(2, "::1:7420", "a:2")));
    invalid("peer_address", () -> operator(1).addMember(add(2, "a:1", "a")));
    invalid("peer_address", () -> operator(1).addMember(add(2, "a:1", "a,b:2")));
    invalid("peer_address", () -> operator(1).addMember(add(2, "a:1", "a".repeat(2_000) + ":1")));
    invalid("member_id", () -> operator(1).promoteMember(promote(0, 0)));
    invalid("member_id", () -> operator(1).removeMember(remove(0)));

    impossible(() -> operator(1).addMember(add(1, "a:1", "a:2")));
    impossible(() -> operator(1).promoteMember(promote(9, 0)));
    impossible(() -> operator(1).promoteMember(promote(9, 1)));
    impossible(() -> operator(1).removeMember(remove(1)));
    impossible(() -> operator(1).transferLeadership(transfer(9)));

    needless(() -> operator(1).addMember(add(1, cluster.clientAddress(1), cluster.peerAddress(1))));
    needless(() -> operator(1).promoteMember(promote(1, 0)));
    needless(() -> operator(1).promoteMember(promote(1, 9)));
    needless(() -> operator(1).removeMember(remove(9)));
    needless(() -> operator(1).transferLeadership(transfer(1)));

    assertEquals(before, members(1));
    assertEquals(
        1, operator(1).getStatus(GetStatusRequest.getDefaultInstance()).getHeader().getLeaderId());
  }

  private static void invalid(String field, Executable call) {
    StatusRuntimeException refusal = assertThrows(StatusRuntimeException.class, call);
    assertEquals(Code.INVALID_ARGUMENT, refusal.getStatus().getCode(), refusal::toString);
    assertEquals("INVALID_FIELD", Errors.info(refusal).getReason());
    assertEquals(field, Errors.info(refusal).getMetadataOrThrow("field"));
  }

  private static void impossible(Executable call) {
    refused("IMPOSSIBLE", call);
  }

  /** It is so already. */
  private static void needless(Executable call) {
    refused("ALREADY", call);
  }

  private static void refused(String how, Executable call) {
    StatusRuntimeException refusal =
        assertFails(
            Code.FAILED_PRECONDITION, "MEMBERSHIP_CHANGE_REFUSED", Map.of("refusal", how), call);
    assertTrue(Errors.retryInfo(refusal).isEmpty(), "waiting does not help");
  }

  @Test
  void aLearnerThatHasNotCaughtUpIsNotPromotedNorMadeTheLeader() throws Exception {
    start(1);
    int port = FreePorts.take(1).get(0);
    // Nobody is there.
    change(() -> operator(1).addMember(add(2, "127.0.0.1:" + port, "127.0.0.1:" + port)));
    StatusRuntimeException refusal =
        assertFails(
            Code.FAILED_PRECONDITION,
            "MEMBERSHIP_CHANGE_REFUSED",
            Map.of("refusal", "NOT_NOW"),
            () -> operator(1).promoteMember(promote(2, 0)));
    assertTrue(Errors.retryInfo(refusal).isPresent());
    impossible(() -> operator(1).transferLeadership(transfer(2)));
    assertTrue(members(1).get(1).getLearner());
    cluster.locks(1).acquireLock(acquire("a learner has no vote"));
  }

  @Test
  void onlyStaleReadsAreAnsweredWithoutAMajorityAndMarked() throws Exception {
    start(3);
    int leader = cluster.awaitLeader();
    AcquireLockResponse held = cluster.locks(leader).acquireLock(acquire("a"));
    int left = cluster.awaitFollower();
    GetLockRequest current = GetLockRequest.newBuilder().setName("a").build();
    assertEquals(held.getToken(), token(cluster.locks(left).getLock(current)));
    for (int member = 1; member <= 3; member++) {
      assertFalse(cluster.locks(member).getLock(current).getHeader().getStale());
      if (member != left) {
        cluster.stop(member);
      }
    }
    InProcessCluster.await("no leader", () -> cluster.status(left).getHeader().getLeaderId() == 0);

    assertFails(
        Code.UNAVAILABLE, "NO_LEADER", Map.of(), () -> cluster.locks(left).getLock(current));
    GetLockResponse stale = cluster.locks(left).getLock(current.toBuilder().setStale(true).build());
    assertTrue(stale.getHeader().getStale());
    assertEquals(left, stale.getHeader().getMemberId());
    assertEquals(held.getToken(), token(stale));
    assertTrue(
        cluster
            .locks(left)
            .listLocks(ListLocksRequest.newBuilder().setStale(true).build())
            .getHeader()
            .getStale());
    assertTrue(
        cluster
            .leases(left)
            .getLease(
                GetLeaseRequest.newBuilder().setLeaseId(held.getLeaseId()).setStale(true).build())
            .getHeader()
            .getStale());
    assertTrue(
        cluster
            .leases(left)
            .listLeases(ListLeasesRequest.newBuilder().setStale(true).build())
            .getHeader()
            .getStale());
  }

  private static long token(GetLockResponse response) {
    return response.getLock().getHolder().getToken();
  }

  @Test
  void callsForAnotherClusterAreRefused() throws Exception {
    start(1);
    var wrong = new Metadata();
    Metadata.Key<String> key =
        Metadata.Key.of("coordinator-cluster", Metadata.ASCII_STRING_MARSHALLER);
    wrong.put(key, "another");
    Map<String, String> details = Map.of("cluster_id", "test");
    assertFails(
        Code.FAILED_PRECONDITION,
        "WRONG_CLUSTER",
        details,
        () ->
            cluster
                .locks(1)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(wrong))
                .acquireLock(acquire("a")));
    assertFails(
        Code.FAILED_PRECONDITION,
        "WRONG_CLUSTER",
        details,
        () ->
            operator(1)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(wrong))
                .listMembers(ListMembersRequest.getDefaultInstance()));
    var right = new Metadata();
    right.put(key, "test");
    AcquireLockResponse held =
        cluster
            .locks(1)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(right))
            .acquireLock(acquire("a"));
    assertEquals(AcquireLockResponse.Outcome.OUTCOME_ACQUIRED, held.getOutcome());
  }

  @Test
  void aSnapshotComesInPartsAndAClientThatLeavesKeepsNoFileOpen() throws Exception {
    start(1, Map.of("limits.maxSnapshotStreams", "1"));
    // Larger than what may be under way to a client that does not read.
    String metadata = "m".repeat(1_000);
    List<Received<AcquireLockResponse>> locks = new ArrayList<>();
    for (int i = 0; i < 4_000; i++) {
      var lock = new Received<AcquireLockResponse>();
      LockServiceGrpc.newStub(cluster.channel(1))
          .acquireLock(acquire("lock/" + i).toBuilder().setMetadata(metadata).build(), lock);
      locks.add(lock);
    }
    locks.forEach(Received::next);
    Iterator<SnapshotResponse> parts = operator(1).snapshot(SnapshotRequest.getDefaultInstance());
    SnapshotResponse first = parts.next();
    assertEquals("test", first.getHeader().getClusterId());
    assertTrue(first.getSnapshotIndex() >= 4_000);
    ByteString whole = first.getData();
    while (parts.hasNext()) {
      SnapshotResponse next = parts.next();
      assertEquals(0, next.getTotalBytes());
      whole = whole.concat(next.getData());
    }
    assertEquals(first.getTotalBytes(), whole.size());

    var slow = new Slow();
    ClusterServiceGrpc.newStub(cluster.channel(1))
        .snapshot(SnapshotRequest.getDefaultInstance(), slow);
    slow.firstPart.get(20, TimeUnit.SECONDS);
    assertEquals(1, openSnapshots());
    assertFails(
        Code.RESOURCE_EXHAUSTED,
        "LIMIT_REACHED",
        Map.of("limit", "limits.maxSnapshotStreams", "maximum", "1"),
        () -> operator(1).snapshot(SnapshotRequest.getDefaultInstance()).next());
    assertTrue(
        cluster
            .metrics(1)
            .contains("coordinator_limit_rejected_total{limit=\"limits.maxSnapshotStreams\"} 1.0"));
    slow.call.cancel("enough", null);
    InProcessCluster.await("the file to be closed", () -> openSnapshots() == 0);
    assertTrue(operator(1).snapshot(SnapshotRequest.getDefaultInstance()).hasNext());
  }

  /** Takes one message and no more. */
  private static final class Slow
      implements ClientResponseObserver<SnapshotRequest, SnapshotResponse> {

    private final CompletableFuture<SnapshotResponse> firstPart = new CompletableFuture<>();
    private ClientCallStreamObserver<SnapshotRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<SnapshotRequest> started) {
      call = started;
      started.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(SnapshotResponse part) {
      firstPart.complete(part);
    }

    @Override
    public void onError(Throwable failure) {
      firstPart.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {}
  }

  /** How often this process has files of this test's snapshots open. */
  private long openSnapshots() {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.filter(this::isSnapshot).count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private boolean isSnapshot(Path descriptor) {
    try {
      Path file = Files.readSymbolicLink(descriptor);
      return file.startsWith(directory.toRealPath()) && file.toString().contains("/snapshots/");
    } catch (IOException e) {
      return false; // Closed in the meantime.
    }
  }
}
