// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.RaftServiceGrpc;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.server.FreePorts;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two members that talk over loopback, and strangers who try to. */
class PeerTransportTest {

  private static final NodeId ONE = new NodeId(1);
  private static final NodeId TWO = new NodeId(2);
  private static final int START_ATTEMPTS = 5;

  private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
  private Membership members;
  private Peer one;
  private Peer two;

  @BeforeEach
  void start() throws IOException {
    for (int attempt = 1; ; attempt++) {
      List<Integer> ports = FreePorts.take(2);
      members =
          new Membership(
              List.of(
                  new MemberInfo(ONE, "", "127.0.0.1:" + ports.get(0), 0),
                  new MemberInfo(TWO, "", "127.0.0.1:" + ports.get(1), 0)),
              List.of(ONE, TWO),
              List.of(),
              List.of());
      one = new Peer(ONE, ports.get(0));
      two = new Peer(TWO, ports.get(1));
      try {
        one.start();
        two.start();
        return;
      } catch (IOException e) {
        stop();
        if (attempt == START_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  @AfterEach
  void stop() {
    one.transport.close();
    two.transport.close();
  }

  @Test
  void votesGoThereAndTheirRepliesComeBack() throws Exception {
    var request = new RaftMessage.RequestVote(ONE, TWO, 3, true, 7, 2);
    assertEquals(request, one.sendUntilArrived(request, two));
    var reply = new RaftMessage.RequestVoteReply(TWO, ONE, 2, true, true, 3);
    two.transport.send(reply);
    assertEquals(reply, one.inbox.next());
  }

  @Test
  void entriesAreStreamedAndTheirRepliesComeBack() throws Exception {
    var first = appendEntries(1);
    assertEquals(first, one.sendUntilArrived(first, two));
    for (int round = 2; round <= 100; round++) {
      one.transport.send(appendEntries(round));
    }
    long lastRound = 1;
    while (lastRound < 100) {
      if (two.inbox.next() instanceof RaftMessage.AppendEntries request) {
        assertTrue(request.round() == 1 || request.round() == lastRound + 1, "in order, no gap");
        lastRound = request.round();
      }
    }
    var reply = new RaftMessage.AppendEntriesReply(TWO, ONE, 4, true, 1, 0, 0, 0, 100);
    two.transport.send(reply);
    assertEquals(reply, one.inbox.next());
  }

  @Test
  void aBrokenConnectionIsReportedOnceAndHeals() throws Exception {
    one.sendUntilArrived(appendEntries(1), two);
    two.sendUntilArrived(new RaftMessage.AppendEntries(TWO, ONE, 4, 0, 0, List.of(), 0, 1, 0), one);

    two.transport.close();
    assertEquals(TWO, one.inbox.disconnected.poll(20, TimeUnit.SECONDS));

    two = new Peer(TWO, two.port);
    two.start();
    one.sendUntilArrived(appendEntries(2), two);
    assertNull(one.inbox.disconnected.poll(), "one break is reported once");
  }

  @ParameterizedTest
  @CsvSource({
    "other, 2, 1, envelope.cluster_id",
    "test, 1, 1, envelope.from",
    "test, 0, 1, envelope.from",
    "test, 2, 2, envelope.to",
  })
  void strangersNeverReachTheCore(String clusterId, long from, long to, String field)
      throws Exception {
    Envelope envelope =
        Envelope.newBuilder().setClusterId(clusterId).setFrom(from).setTo(to).setTerm(9).build();
    ManagedChannel channel = openChannelTo(one);
    try {
      StatusRuntimeException vote =
          assertThrows(
              StatusRuntimeException.class,
              () ->
                  RaftServiceGrpc.newBlockingStub(channel)
                      .requestVote(RequestVoteRequest.newBuilder().setEnvelope(envelope).build()));
      assertRefused(Status.Code.PERMISSION_DENIED, field, vote.getStatus());
      Status entries =
          append(channel, AppendEntriesRequest.newBuilder().setEnvelope(envelope).build());
      assertRefused(Status.Code.PERMISSION_DENIED, field, entries);
    } finally {
      channel.shutdownNow();
    }
    assertTrue(one.inbox.messages.isEmpty());
    assertTrue(one.inbox.disconnected.isEmpty());
  }

  @Test
  void whatNoMemberSendsIsRefused() throws Exception {
    Envelope envelope =
        Envelope.newBuilder().setClusterId("test").setFrom(2).setTo(1).setTerm(-1).build();
    ManagedChannel channel = openChannelTo(one);
    try {
      Status status =
          append(channel, AppendEntriesRequest.newBuilder().setEnvelope(envelope).build());
      assertRefused(Status.Code.INVALID_ARGUMENT, "envelope.term", status);
    } finally {
      channel.shutdownNow();
    }
    assertTrue(one.inbox.messages.isEmpty());
  }

  private static void assertRefused(Status.Code code, String field, Status status) {
    assertEquals(code, status.getCode());
    assertTrue(status.getDescription().startsWith(field), status.getDescription());
  }

  private static Status append(ManagedChannel channel, AppendEntriesRequest request)
      throws Exception {
    var end = new CompletableFuture<Status>();
    StreamObserver<AppendEntriesRequest> requests =
        RaftServiceGrpc.newStub(channel)
            .appendEntries(
                new StreamObserver<AppendEntriesResponse>() {
                  @Override
                  public void onNext(AppendEntriesResponse response) {}

                  @Override
                  public void onError(Throwable failure) {
                    end.complete(Status.fromThrowable(failure));
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.OK);
                  }
                });
    requests.onNext(request);
    return end.get(20, TimeUnit.SECONDS);
  }

  private static ManagedChannel openChannelTo(Peer peer) {
    return Grpc.newChannelBuilder("127.0.0.1:" + peer.port, InsecureChannelCredentials.create())
        .build();
  }

  @Test
  void partsOfSnapshotsGoThereAndTheirRepliesComeBack() throws Exception {
    byte[] data = new byte[1 << 20];
    var meta = new SnapshotMeta(new LogPosition(7, 3), 50, members, 0);
    var chunk = new RaftMessage.InstallSnapshot(ONE, TWO, 4, meta, 5 << 20, 0, data, 9, 1, 60);
    connect();
    one.transport.send(chunk);
    var arrived = two.inbox.next(RaftMessage.InstallSnapshot.class);
    assertArrayEquals(data, arrived.data());
    assertEquals(meta, arrived.snapshot());
    var reply = new RaftMessage.InstallSnapshotReply(TWO, ONE, 4, 7, 1 << 20, false, 1);
    two.transport.send(reply);
    assertEquals(reply, one.inbox.next(RaftMessage.InstallSnapshotReply.class));
    assertEquals(Set.of(one.sender), two.inbox.senders);
    assertEquals(Set.of(two.sender), one.inbox.senders);
  }

  @Test
  void aRepeatedPartTakesThePlaceOfTheOneBefore() throws Exception {
    var meta = new SnapshotMeta(new LogPosition(7, 3), 50, members, 0);
    var chunk = new RaftMessage.InstallSnapshot(ONE, TWO, 4, meta, 5, 0, new byte[] {1}, 9, 1, 60);
    connect();
    one.transport.send(chunk);
    two.inbox.next(RaftMessage.InstallSnapshot.class);
    one.transport.send(chunk);
    two.inbox.next(RaftMessage.InstallSnapshot.class);
    var reply = new RaftMessage.InstallSnapshotReply(TWO, ONE, 4, 7, 1, false, 1);
    two.transport.send(reply);
    assertEquals(reply, one.inbox.next(RaftMessage.InstallSnapshotReply.class));
    // The call is closed, so there is nothing that this could answer.
    two.transport.send(reply);
    votesGoThereAndTheirRepliesComeBack();
  }

  @Test
  void partsDoNotGatherBeforeANetworkThatTakesNone() throws Exception {
    var meta = new SnapshotMeta(new LogPosition(7, 3), 50, members, 0);
    byte[] data = new byte[1 << 20];
    var chunk = new RaftMessage.InstallSnapshot(ONE, TWO, 4, meta, 5 << 20, 0, data, 9, 1, 60);
    // It takes connections, and never says a word.
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      one.transport.configure(one.sender, twoAt(silent.getLocalPort()));
      for (int i = 0; i < 5; i++) {
        one.transport.send(chunk);
      }
      assertEquals(4, one.dropped());
    }
  }

  @Test
  void transfersAndQuestionsForReadsGoThereToo() throws Exception {
    var timeout = new RaftMessage.TimeoutNow(ONE, TWO, 4, 9);
    connect();
    one.transport.send(timeout);
    assertEquals(timeout, two.inbox.next(RaftMessage.TimeoutNow.class));
    var first = new RaftMessage.ReadIndex(TWO, ONE, 4, 1);
    var second = new RaftMessage.ReadIndex(TWO, ONE, 4, 2);
    two.transport.send(first);
    two.transport.send(second);
    var arrived = one.inbox.next(RaftMessage.ReadIndex.class);
    var later = one.inbox.next(RaftMessage.ReadIndex.class);
    assertEquals(Set.of(first, second), Set.of(arrived, later));
    // Each answer finds its own question, whatever the order.
    var answer = new RaftMessage.ReadIndexReply(ONE, TWO, 4, 2, true, 9);
    one.transport.send(answer);
    assertEquals(answer, two.inbox.next(RaftMessage.ReadIndexReply.class));
    var other = new RaftMessage.ReadIndexReply(ONE, TWO, 4, 1, false, 0);
    one.transport.send(other);
    assertEquals(other, two.inbox.next(RaftMessage.ReadIndexReply.class));
  }

  @Test
  void whoeverSpeaksIsAnsweredButOnlyMembersAreSpokenTo() throws Exception {
    two.transport.close();
    two = new Peer(TWO, two.port);
    two.transport.start(List.of());
    // A member that was not added yet knows nobody.
    two.transport.configure(two.sender, Membership.NONE);
    one.sendUntilArrived(appendEntries(2), two);
    var reply = new RaftMessage.AppendEntriesReply(TWO, ONE, 4, true, 1, 0, 0, 0, 2);
    two.transport.send(reply);
    assertEquals(reply, one.inbox.next(RaftMessage.AppendEntriesReply.class));
    two.transport.send(new RaftMessage.RequestVote(TWO, ONE, 9, true, 7, 2));
    assertNull(one.inbox.messages.poll());

    two.transport.configure(two.sender, members);
    var vote = new RaftMessage.RequestVote(TWO, ONE, 3, true, 7, 2);
    assertEquals(vote, two.sendUntilArrived(vote, one));
  }

  @Test
  void aMemberThatMovesIsFoundAtItsNewAddress() throws Exception {
    one.sendUntilArrived(appendEntries(1), two);
    two.transport.close();
    Peer moved = new Peer(TWO, FreePorts.take(1).get(0));
    moved.start();
    two = moved;
    one.transport.configure(one.sender, twoAt(moved.port));
    one.sendUntilArrived(appendEntries(2), moved);
  }

  private Membership twoAt(int port) {
    MemberInfo two = new MemberInfo(TWO, "", "127.0.0.1:" + port, 0);
    return new Membership(
        List.of(members.member(ONE), two), List.of(ONE, TWO), List.of(), List.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"my_host:7421", "1.2.3:7421", "[zz]:1", "a%zz:1", "é:1", ""})
  void aMemberWithABadAddressKeepsNobodyFromTheOthers(String address) throws Exception {
    var three = new NodeId(3);
    one.transport.configure(
        one.sender,
        new Membership(
            List.of(
                new MemberInfo(three, "", address, 0), members.member(ONE), members.member(TWO)),
            List.of(ONE, TWO),
            List.of(three),
            List.of()));
    one.transport.send(new RaftMessage.RequestVote(ONE, three, 3, true, 7, 2));
    one.sendUntilArrived(appendEntries(1), two);
  }

  @Test
  void anAddressMayBeOfIpVersion6() {
    try (var channel = new PersistentChannel("[::1]:7421", 1 << 20, scheduler)) {
      assertEquals("[::1]:7421", channel.channel().authority());
    }
  }

  /** Waits until each has heard the other, from when on single calls pass. */
  private void connect() throws Exception {
    one.sendUntilArrived(appendEntries(1), two);
    two.sendUntilArrived(new RaftMessage.RequestVote(TWO, ONE, 3, true, 7, 2), one);
  }

  private static RaftMessage.AppendEntries appendEntries(long round) {
    return new RaftMessage.AppendEntries(
        ONE, TWO, 4, 0, 0, List.of(Entry.command(1, 4, 50, new byte[] {1, 2})), 0, round, 60);
  }

  /** One side of the conversation. */
  private final class Peer {

    private final int port;
    private final Sender sender;
    private final RecordingInbox inbox = new RecordingInbox();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final PeerTransport transport;

    Peer(NodeId self, int port) {
      this.port = port;
      this.sender = new Sender(10 + self.value(), 5);
      this.transport =
          new PeerTransport(
              new PeerSettings(
                  "test",
                  self,
                  new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                  20_000,
                  1 << 20,
                  1 << 20),
              inbox,
              new PeerMetrics(registry),
              scheduler);
    }

    /** How many messages it could not send. */
    double dropped() {
      return registry.get("coordinator.peer.dropped").counters().stream()
          .mapToDouble(Counter::count)
          .sum();
    }

    void start() throws IOException {
      transport.start(List.of());
      transport.configure(sender, members);
    }

    /** Repeats a message, as the protocol does, until it is there. */
    RaftMessage sendUntilArrived(RaftMessage message, Peer receiver) throws Exception {
      InProcessCluster.await(
          "the message",
          () -> {
            transport.send(message);
            return receiver.inbox.messages.contains(message);
          });
      return receiver.inbox.next();
    }
  }

  private static final class RecordingInbox implements Inbox {

    private final BlockingQueue<RaftMessage> messages = new LinkedBlockingQueue<>();
    private final Set<Sender> senders = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<NodeId> disconnected = new LinkedBlockingQueue<>();

    @Override
    public void receive(Sender sender, RaftMessage message) {
      senders.add(sender);
      messages.add(message);
    }

    @Override
    public void persisted(long batch) {}

    @Override
    public void disconnected(NodeId peer) {
      disconnected.add(peer);
    }

    @Override
    public void failed(Throwable cause) {}

    /** The next message of a kind; what came before it is passed by. */
    <M extends RaftMessage> M next(Class<M> kind) throws InterruptedException {
      RaftMessage message = next();
      while (!kind.isInstance(message)) {
        message = next();
      }
      return kind.cast(message);
    }

    RaftMessage next() throws InterruptedException {
      RaftMessage message = messages.poll(20, TimeUnit.SECONDS);
      assertTrue(message != null, "nothing came");
      return message;
    }
  }
}
