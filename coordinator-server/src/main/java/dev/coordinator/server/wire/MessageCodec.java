// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.UnsafeByteOperations;
import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.LogEntry;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.internal.v1.RequestVoteResponse;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages between members to protobuf and back.
 *
 * <p>What comes in keeps the rules that the core takes for granted, or is refused. The cluster and
 * the receiver in the envelope are for the caller to check.
 */
public final class MessageCodec {

  private MessageCodec() {}

  public static RequestVoteRequest encode(RaftMessage.RequestVote message, String clusterId) {
    return RequestVoteRequest.newBuilder()
        .setEnvelope(envelope(message, clusterId))
        .setPreVote(message.preVote())
        .setLastLogIndex(message.lastLogIndex())
        .setLastLogTerm(message.lastLogTerm())
        .build();
  }

  public static RequestVoteResponse encode(RaftMessage.RequestVoteReply message, String clusterId) {
    return RequestVoteResponse.newBuilder()
        .setEnvelope(envelope(message, clusterId))
        .setPreVote(message.preVote())
        .setGranted(message.granted())
        .setRequestTerm(message.requestTerm())
        .build();
  }

  public static AppendEntriesRequest encode(RaftMessage.AppendEntries message, String clusterId) {
    AppendEntriesRequest.Builder request =
        AppendEntriesRequest.newBuilder()
            .setEnvelope(envelope(message, clusterId))
            .setPrevLogIndex(message.prevLogIndex())
            .setPrevLogTerm(message.prevLogTerm())
            .setLeaderCommit(message.leaderCommit())
            .setRound(message.round())
            .setClusterTimeMs(message.clusterTimeMs());
    for (Entry entry : message.entries()) {
      request.addEntries(encode(entry));
    }
    return request.build();
  }

  public static AppendEntriesResponse encode(
      RaftMessage.AppendEntriesReply message, String clusterId) {
    return AppendEntriesResponse.newBuilder()
        .setEnvelope(envelope(message, clusterId))
        .setSuccess(message.success())
        .setMatchIndex(message.matchIndex())
        .setRejectedIndex(message.rejectedIndex())
        .setConflictTerm(message.conflictTerm())
        .setConflictIndex(message.conflictIndex())
        .setRound(message.round())
        .build();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.RequestVote decode(RequestVoteRequest message) {
    require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    long term = atLeast(1, "envelope.term", envelope.getTerm());
    long lastLogIndex = atLeast(0, "last_log_index", message.getLastLogIndex());
    long lastLogTerm = atLeast(0, "last_log_term", message.getLastLogTerm());
    requirePosition("last_log", lastLogIndex, lastLogTerm, term);
    return new RaftMessage.RequestVote(
        from(envelope), to(envelope), term, message.getPreVote(), lastLogIndex, lastLogTerm);
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.RequestVoteReply decode(RequestVoteResponse message) {
    require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.RequestVoteReply(
        from(envelope),
        to(envelope),
        atLeast(0, "envelope.term", envelope.getTerm()),
        message.getPreVote(),
        message.getGranted(),
        atLeast(1, "request_term", message.getRequestTerm()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.AppendEntries decode(AppendEntriesRequest message) {
    require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    long term = atLeast(1, "envelope.term", envelope.getTerm());
    long prevLogIndex = atLeast(0, "prev_log_index", message.getPrevLogIndex());
    long prevLogTerm = atLeast(0, "prev_log_term", message.getPrevLogTerm());
    requirePosition("prev_log", prevLogIndex, prevLogTerm, term);
    return new RaftMessage.AppendEntries(
        from(envelope),
        to(envelope),
        term,
        prevLogIndex,
        prevLogTerm,
        entries(message.getEntriesList(), prevLogIndex, prevLogTerm, term),
        atLeast(0, "leader_commit", message.getLeaderCommit()),
        atLeast(0, "round", message.getRound()),
        atLeast(0, "cluster_time_ms", message.getClusterTimeMs()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.AppendEntriesReply decode(AppendEntriesResponse message) {
    require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.AppendEntriesReply(
        from(envelope),
        to(envelope),
        atLeast(1, "envelope.term", envelope.getTerm()),
        message.getSuccess(),
        atLeast(0, "match_index", message.getMatchIndex()),
        atLeast(0, "rejected_index", message.getRejectedIndex()),
        atLeast(0, "conflict_term", message.getConflictTerm()),
        atLeast(0, "conflict_index", message.getConflictIndex()),
        atLeast(0, "round", message.getRound()));
  }

  private static Envelope envelope(RaftMessage message, String clusterId) {
    return Envelope.newBuilder()
        .setClusterId(clusterId)
        .setFrom(message.from().value())
        .setTo(message.to().value())
        .setTerm(message.term())
        .build();
  }

  private static NodeId from(Envelope envelope) {
    require(envelope.getFrom() != 0, "envelope.from", "is a member", "0");
    return new NodeId(envelope.getFrom());
  }

  private static NodeId to(Envelope envelope) {
    require(envelope.getTo() != 0, "envelope.to", "is a member", "0");
    return new NodeId(envelope.getTo());
  }

  private static LogEntry encode(Entry entry) {
    return LogEntry.newBuilder()
        .setKind(
            entry.kind() == EntryKind.NO_OP ? LogEntry.Kind.KIND_NO_OP : LogEntry.Kind.KIND_COMMAND)
        .setIndex(entry.index())
        .setTerm(entry.term())
        .setClusterTimeMs(entry.clusterTimeMs())
        // Nobody changes the payload of an entry, so it needs no copy.
        .setPayload(UnsafeByteOperations.unsafeWrap(entry.payload()))
        .build();
  }

  /** Entries follow each other and the previous one without a gap; terms and times never fall. */
  private static List<Entry> entries(
      List<LogEntry> messages, long prevLogIndex, long prevLogTerm, long leaderTerm) {
    if (messages.isEmpty()) {
      return List.of();
    }
    if (prevLogIndex > Long.MAX_VALUE - messages.size()) {
      throw broken("prev_log_index", "leaves room for the entries", prevLogIndex);
    }
    List<Entry> entries = new ArrayList<>(messages.size());
    long index = prevLogIndex;
    long term = Math.max(1, prevLogTerm);
    long clusterTimeMs = 0;
    for (LogEntry message : messages) {
      index++;
      if (message.getIndex() != index) {
        throw broken("entries.index", "is " + index + " here, without gaps", message.getIndex());
      }
      term = atLeast(term, "entries.term", message.getTerm());
      if (term > leaderTerm) {
        throw broken("entries.term", "is at most the leader's, " + leaderTerm, term);
      }
      clusterTimeMs = atLeast(clusterTimeMs, "entries.cluster_time_ms", message.getClusterTimeMs());
      entries.add(entry(message));
    }
    return entries;
  }

  private static Entry entry(LogEntry message) {
    return switch (message.getKind()) {
      case KIND_NO_OP -> {
        require(message.getPayload().isEmpty(), "entries.payload", "is empty in a no-op", "bytes");
        yield Entry.noOp(message.getIndex(), message.getTerm(), message.getClusterTimeMs());
      }
      case KIND_COMMAND -> {
        require(!message.getPayload().isEmpty(), "entries.payload", "is a command", "empty");
        yield Entry.command(
            message.getIndex(),
            message.getTerm(),
            message.getClusterTimeMs(),
            message.getPayload().toByteArray());
      }
      case KIND_UNSPECIFIED, UNRECOGNIZED ->
          throw broken("entries.kind", "is a known kind", message.getKindValue());
    };
  }

  /**
   * A place in a log: index and term are both 0 before the first entry, and neither is after it.
   */
  private static void requirePosition(String field, long index, long term, long senderTerm) {
    if ((index == 0) != (term == 0)) {
      throw broken(field + "_term", "is 0 exactly if the index, " + index + ", is", term);
    }
    if (term > senderTerm) {
      throw broken(field + "_term", "is at most the sender's, " + senderTerm, term);
    }
  }

  /** Numbers above {@link Long#MAX_VALUE} arrive as negative ones. */
  private static long atLeast(long minimum, String field, long value) {
    if (value < minimum) {
      throw broken(field, "is " + minimum + " to " + Long.MAX_VALUE, value);
    }
    return value;
  }

  private static void require(boolean condition, String field, String rule, String found) {
    if (!condition) {
      throw new IllegalArgumentException(field + " " + rule + ", not " + found);
    }
  }

  private static IllegalArgumentException broken(String field, String rule, long found) {
    return new IllegalArgumentException(
        field + " " + rule + ", not " + Long.toUnsignedString(found));
  }
}
