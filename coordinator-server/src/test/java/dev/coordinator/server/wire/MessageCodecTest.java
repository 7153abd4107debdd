// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.ClusterMembership;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.InstallSnapshotRequest;
import dev.coordinator.internal.v1.InstallSnapshotResponse;
import dev.coordinator.internal.v1.LogEntry;
import dev.coordinator.internal.v1.ReadIndexRequest;
import dev.coordinator.internal.v1.ReadIndexResponse;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.internal.v1.RequestVoteResponse;
import dev.coordinator.internal.v1.TimeoutNowRequest;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class MessageCodecTest {

  private static final NodeId FROM = new NodeId(3);
  private static final NodeId TO = new NodeId(-1);
  private static final long MAX = Long.MAX_VALUE;

  private static final RaftMessage.RequestVote VOTE =
      new RaftMessage.RequestVote(FROM, TO, 7, true, 40, 6);
  private static final RaftMessage.AppendEntries APPEND =
      new RaftMessage.AppendEntries(
          FROM,
          TO,
          7,
          40,
          5,
          List.of(
              Entry.command(41, 5, 900, new byte[] {1, 2}),
              Entry.noOp(42, 7, 900),
              Entry.command(43, 7, 901, new byte[] {3}),
              Entry.configuration(44, 7, 901, new Membership(List.of(FROM, TO)))),
          42,
          12,
          905);
  private static final Sender SENDER = new Sender(-17, 12);
  private static final RaftMessage.InstallSnapshot CHUNK =
      new RaftMessage.InstallSnapshot(
          FROM,
          TO,
          7,
          new SnapshotMeta(new LogPosition(40, 6), 900, new Membership(List.of(FROM, TO)), 3),
          1_000,
          997,
          new byte[] {1, 2, 3},
          -5,
          12,
          905);

  @Test
  void messagesSurviveTheWay() throws InvalidProtocolBufferException {
    RaftMessage.RequestVoteReply voteReply =
        new RaftMessage.RequestVoteReply(FROM, TO, 0, true, true, 9);
    RaftMessage.AppendEntriesReply appendReply =
        new RaftMessage.AppendEntriesReply(FROM, TO, MAX, false, 1, 2, 3, 4, 5);
    RaftMessage.AppendEntries first =
        new RaftMessage.AppendEntries(FROM, TO, 1, 0, 0, List.of(), 0, 0, 0);

    assertEquals(
        VOTE,
        MessageCodec.decode(
            RequestVoteRequest.parseFrom(
                MessageCodec.encode(VOTE, "test", SENDER).toByteString())));
    assertEquals(
        voteReply,
        MessageCodec.decode(
            RequestVoteResponse.parseFrom(
                MessageCodec.encode(voteReply, "test", SENDER).toByteString())));
    assertEquals(
        APPEND,
        MessageCodec.decode(
            AppendEntriesRequest.parseFrom(
                MessageCodec.encode(APPEND, "test", SENDER).toByteString())));
    assertEquals(
        first,
        MessageCodec.decode(
            AppendEntriesRequest.parseFrom(
                MessageCodec.encode(first, "test", SENDER).toByteString())));
    assertEquals(
        appendReply,
        MessageCodec.decode(
            AppendEntriesResponse.parseFrom(
                MessageCodec.encode(appendReply, "test", SENDER).toByteString())));
    RaftMessage.InstallSnapshot chunk =
        MessageCodec.decode(
            InstallSnapshotRequest.parseFrom(
                MessageCodec.encode(CHUNK, "test", SENDER).toByteString()));
    assertArrayEquals(CHUNK.data(), chunk.data());
    assertEquals(CHUNK, withData(chunk, CHUNK.data()));
    RaftMessage.InstallSnapshotReply chunkReply =
        new RaftMessage.InstallSnapshotReply(FROM, TO, 7, 40, 1_000, true, 12);
    assertEquals(
        chunkReply,
        MessageCodec.decode(
            InstallSnapshotResponse.parseFrom(
                MessageCodec.encode(chunkReply, "test", SENDER).toByteString())));
    RaftMessage.RequestVote wanted = new RaftMessage.RequestVote(FROM, TO, 7, false, 5, 4, true);
    assertEquals(
        wanted,
        MessageCodec.decode(
            RequestVoteRequest.parseFrom(
                MessageCodec.encode(wanted, "test", SENDER).toByteString())));
    RaftMessage.TimeoutNow timeout = new RaftMessage.TimeoutNow(FROM, TO, 7, 40);
    assertEquals(
        timeout,
        MessageCodec.decode(
            TimeoutNowRequest.parseFrom(
                MessageCodec.encode(timeout, "test", SENDER).toByteString())));
    RaftMessage.ReadIndex read = new RaftMessage.ReadIndex(FROM, TO, 7, -3);
    assertEquals(
        read,
        MessageCodec.decode(
            ReadIndexRequest.parseFrom(MessageCodec.encode(read, "test", SENDER).toByteString())));
    RaftMessage.ReadIndexReply readReply =
        new RaftMessage.ReadIndexReply(FROM, TO, 7, -3, true, 40);
    assertEquals(
        readReply,
        MessageCodec.decode(
            ReadIndexResponse.parseFrom(
                MessageCodec.encode(readReply, "test", SENDER).toByteString())));
  }

  @Test
  void envelopesTellTheClusterAndTheSender() {
    Envelope envelope = MessageCodec.encode(VOTE, "test", SENDER).getEnvelope();
    assertEquals("test", envelope.getClusterId());
    assertEquals(SENDER, MessageCodec.sender(envelope));
    refused(
        "envelope.membership_index is 0 to 9223372036854775807, not 18446744073709551615",
        () -> MessageCodec.sender(envelope.toBuilder().setMembershipIndex(-1).build()));
  }

  /** Arrays in records are compared by identity. */
  private static RaftMessage.InstallSnapshot withData(
      RaftMessage.InstallSnapshot chunk, byte[] data) {
    return new RaftMessage.InstallSnapshot(
        chunk.from(),
        chunk.to(),
        chunk.term(),
        chunk.snapshot(),
        chunk.totalBytes(),
        chunk.offset(),
        data,
        chunk.checksum(),
        chunk.round(),
        chunk.clusterTimeMs());
  }

  @Test
  void votesThatBreakARuleAreRefused() {
    refusedVote("envelope is present, not absent", vote -> vote.clearEnvelope());
    refusedVote(
        "envelope.from is a member, not 0", vote -> vote.setEnvelope(envelope().setFrom(0)));
    refusedVote("envelope.to is a member, not 0", vote -> vote.setEnvelope(envelope().setTo(0)));
    refusedVote(
        "envelope.term is 1 to 9223372036854775807, not 0",
        vote -> vote.setEnvelope(envelope().setTerm(0)));
    refusedVote(
        "last_log_index is 0 to 9223372036854775807, not 18446744073709551615",
        vote -> vote.setLastLogIndex(-1));
    refusedVote(
        "last_log_term is 0 exactly if the index, 40, is, not 0", vote -> vote.setLastLogTerm(0));
    refusedVote(
        "last_log_term is 0 exactly if the index, 0, is, not 6", vote -> vote.setLastLogIndex(0));
    refusedVote("last_log_term is at most the sender's, 7, not 8", vote -> vote.setLastLogTerm(8));
  }

  private static void refusedVote(
      String message, UnaryOperator<RequestVoteRequest.Builder> change) {
    RequestVoteRequest vote =
        change.apply(MessageCodec.encode(VOTE, "test", SENDER).toBuilder()).build();
    refused(message, () -> MessageCodec.decode(vote));
  }

  @Test
  void entriesThatBreakARuleAreRefused() {
    refusedAppend("envelope is present, not absent", append -> append.clearEnvelope());
    refusedAppend(
        "prev_log_term is at most the sender's, 7, not 9", append -> append.setPrevLogTerm(9));
    refusedAppend(
        "prev_log_term is 0 exactly if the index, 0, is, not 5",
        append -> append.setPrevLogIndex(0));
    refusedAppend(
        "leader_commit is 0 to 9223372036854775807, not 18446744073709551615",
        append -> append.setLeaderCommit(-1));
    refusedAppend(
        "round is 0 to 9223372036854775807, not 18446744073709551615",
        append -> append.setRound(-1));
    refusedAppend(
        "entries.index is 41 here, without gaps, not 42", append -> append.removeEntries(0));
    refusedAppend(
        "entries.index is 42 here, without gaps, not 43", append -> append.removeEntries(1));
    refusedAppend(
        "prev_log_index leaves room for the entries, not 9223372036854775807",
        append -> append.setPrevLogIndex(MAX));
    refusedEntry("entries.term is 5 to 9223372036854775807, not 4", 0, entry -> entry.setTerm(4));
    refusedEntry("entries.term is 7 to 9223372036854775807, not 6", 2, entry -> entry.setTerm(6));
    refusedEntry("entries.term is at most the leader's, 7, not 8", 2, entry -> entry.setTerm(8));
    refusedEntry(
        "entries.cluster_time_ms is 900 to 9223372036854775807, not 899",
        2,
        entry -> entry.setClusterTimeMs(899));
    refusedEntry(
        "entries.cluster_time_ms is 0 to 9223372036854775807, not 18446744073709551615",
        0,
        entry -> entry.setClusterTimeMs(-1));
    refusedEntry("entries.kind is a known kind, not 0", 0, LogEntry.Builder::clearKind);
    refusedEntry("entries.kind is a known kind, not 9", 0, entry -> entry.setKindValue(9));
    refusedEntry("entries.payload is a command, not empty", 0, LogEntry.Builder::clearPayload);
    refusedEntry(
        "entries.payload is empty in a no-op, not bytes",
        1,
        entry -> entry.setPayload(ByteString.copyFromUtf8("x")));
    refusedEntry(
        "entries.payload is empty in a configuration, not bytes",
        3,
        entry -> entry.setPayload(ByteString.copyFromUtf8("x")));
    refusedEntry(
        "entries.membership is present exactly in a configuration, not absent",
        3,
        LogEntry.Builder::clearMembership);
    refusedEntry(
        "entries.membership is present exactly in a configuration, not present",
        2,
        entry -> entry.setMembership(ClusterMembership.getDefaultInstance()));
    refusedEntry(
        "entries.membership has members, not none",
        3,
        entry -> entry.setMembership(ClusterMembership.getDefaultInstance()));
  }

  @Test
  void partsOfSnapshotsThatBreakARuleAreRefused() {
    refusedChunk("envelope is present, not absent", chunk -> chunk.clearEnvelope());
    refusedChunk("snapshot is present, not absent", chunk -> chunk.clearSnapshot());
    refusedChunk(
        "snapshot.last_term is at most the sender's, 7, not 8",
        chunk -> chunk.setSnapshot(chunk.getSnapshot().toBuilder().setLastTerm(8)));
    refusedChunk(
        "total_bytes is 1 to 9223372036854775807, not 0", chunk -> chunk.clearTotalBytes());
    refusedChunk(
        "offset leaves room for the data in 1000 bytes, not 998", chunk -> chunk.setOffset(998));
    refusedChunk(
        "offset is 0 to 9223372036854775807, not 18446744073709551615",
        chunk -> chunk.setOffset(-1));
    refusedChunk("data is a part of a snapshot, not empty", chunk -> chunk.clearData());
    refusedChunk(
        "round is 0 to 9223372036854775807, not 18446744073709551615", chunk -> chunk.setRound(-1));
    refusedChunk(
        "cluster_time_ms is 0 to 9223372036854775807, not 18446744073709551615",
        chunk -> chunk.setClusterTimeMs(-1));
  }

  private static void refusedChunk(
      String message, UnaryOperator<InstallSnapshotRequest.Builder> change) {
    InstallSnapshotRequest chunk =
        change.apply(MessageCodec.encode(CHUNK, "test", SENDER).toBuilder()).build();
    refused(message, () -> MessageCodec.decode(chunk));
  }

  private static LogEntry.Builder entry(int place) {
    return MessageCodec.encode(APPEND, "test", SENDER).getEntries(place).toBuilder();
  }

  private static void refusedEntry(
      String message, int place, UnaryOperator<LogEntry.Builder> change) {
    refusedAppend(message, append -> append.setEntries(place, change.apply(entry(place))));
  }

  private static void refusedAppend(
      String message, UnaryOperator<AppendEntriesRequest.Builder> change) {
    AppendEntriesRequest append =
        change.apply(MessageCodec.encode(APPEND, "test", SENDER).toBuilder()).build();
    refused(message, () -> MessageCodec.decode(append));
  }

  @Test
  void repliesThatBreakARuleAreRefused() {
    refused(
        "envelope is present, not absent",
        () -> MessageCodec.decode(RequestVoteResponse.getDefaultInstance()));
    refused(
        "request_term is 1 to 9223372036854775807, not 0",
        () ->
            MessageCodec.decode(RequestVoteResponse.newBuilder().setEnvelope(envelope()).build()));
    refused(
        "envelope is present, not absent",
        () -> MessageCodec.decode(AppendEntriesResponse.getDefaultInstance()));
    refusedReply("match_index", AppendEntriesResponse.newBuilder().setMatchIndex(-1));
    refusedReply("rejected_index", AppendEntriesResponse.newBuilder().setRejectedIndex(-1));
    refusedReply("conflict_term", AppendEntriesResponse.newBuilder().setConflictTerm(-1));
    refusedReply("conflict_index", AppendEntriesResponse.newBuilder().setConflictIndex(-1));
    refusedReply("round", AppendEntriesResponse.newBuilder().setRound(-1));
    refused(
        "envelope is present, not absent",
        () -> MessageCodec.decode(InstallSnapshotResponse.getDefaultInstance()));
    refused(
        "snapshot_index is 1 to 9223372036854775807, not 0",
        () ->
            MessageCodec.decode(
                InstallSnapshotResponse.newBuilder().setEnvelope(envelope()).build()));
  }

  private static void refusedReply(String field, AppendEntriesResponse.Builder reply) {
    refused(
        field + " is 0 to 9223372036854775807, not 18446744073709551615",
        () -> MessageCodec.decode(reply.setEnvelope(envelope()).build()));
  }

  private static void refused(String message, Runnable decoding) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, decoding::run).getMessage());
  }

  private static Envelope.Builder envelope() {
    return Envelope.newBuilder().setClusterId("test").setFrom(3).setTo(1).setTerm(7);
  }

  /** One changed byte in a message, or bytes at random. */
  @Test
  void damagedMessagesAreRefusedOrKeepTheRules() {
    RandomGenerator random = new SplittableRandom(3);
    Message[] messages = {
      MessageCodec.encode(VOTE, "test", SENDER),
      MessageCodec.encode(
          new RaftMessage.RequestVoteReply(FROM, TO, 7, true, true, 9), "test", SENDER),
      MessageCodec.encode(APPEND, "test", SENDER),
      MessageCodec.encode(
          new RaftMessage.AppendEntriesReply(FROM, TO, 7, false, 1, 2, 3, 4, 5), "test", SENDER),
      MessageCodec.encode(CHUNK, "test", SENDER),
      MessageCodec.encode(
          new RaftMessage.InstallSnapshotReply(FROM, TO, 7, 40, 1_000, true, 12), "test", SENDER),
      MessageCodec.encode(new RaftMessage.TimeoutNow(FROM, TO, 7, 40), "test", SENDER),
      MessageCodec.encode(new RaftMessage.ReadIndex(FROM, TO, 7, 3), "test", SENDER),
      MessageCodec.encode(new RaftMessage.ReadIndexReply(FROM, TO, 7, 3, true, 40), "test", SENDER)
    };
    int decoded = 0;
    int refused = 0;
    for (int i = 0; i < 60_000; i++) {
      Message message = messages[random.nextInt(messages.length)];
      byte[] bytes = message.toByteArray();
      if (random.nextInt(4) == 0) {
        bytes = new byte[random.nextInt(60)];
        random.nextBytes(bytes);
      } else {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Message damaged;
      try {
        damaged = message.getParserForType().parseFrom(bytes);
      } catch (InvalidProtocolBufferException e) {
        // gRPC refuses these before anybody sees them.
        continue;
      }
      try {
        checkRules(decode(damaged));
        decoded++;
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(decoded > 5_000 && refused > 1_000, decoded + " decoded, " + refused + " refused");
  }

  private static RaftMessage decode(Message message) {
    if (message instanceof RequestVoteRequest vote) {
      return MessageCodec.decode(vote);
    }
    if (message instanceof RequestVoteResponse reply) {
      return MessageCodec.decode(reply);
    }
    if (message instanceof AppendEntriesRequest append) {
      return MessageCodec.decode(append);
    }
    if (message instanceof AppendEntriesResponse reply) {
      return MessageCodec.decode(reply);
    }
    if (message instanceof InstallSnapshotRequest chunk) {
      return MessageCodec.decode(chunk);
    }
    if (message instanceof InstallSnapshotResponse reply) {
      return MessageCodec.decode(reply);
    }
    if (message instanceof TimeoutNowRequest timeout) {
      return MessageCodec.decode(timeout);
    }
    if (message instanceof ReadIndexRequest read) {
      return MessageCodec.decode(read);
    }
    return MessageCodec.decode((ReadIndexResponse) message);
  }

  private static void checkRules(RaftMessage message) {
    assertTrue(!message.from().isNone() && !message.to().isNone() && message.term() >= 0);
    if (message instanceof RaftMessage.AppendEntries append) {
      long index = append.prevLogIndex();
      long term = append.prevLogTerm();
      long timeMs = 0;
      for (Entry entry : append.entries()) {
        assertEquals(++index, entry.index());
        assertTrue(entry.term() >= term && entry.term() <= append.term());
        assertTrue(entry.clusterTimeMs() >= timeMs);
        term = entry.term();
        timeMs = entry.clusterTimeMs();
      }
    } else if (message instanceof RaftMessage.InstallSnapshot chunk) {
      assertTrue(chunk.snapshot().index() >= 1 && chunk.snapshot().last().term() <= chunk.term());
      assertTrue(chunk.data().length >= 1 && chunk.offset() >= 0);
      assertTrue(chunk.totalBytes() - chunk.offset() >= chunk.data().length);
    }
  }
}
