// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.UnsafeByteOperations;
import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
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
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
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

  public static RequestVoteRequest encode(
      RaftMessage.RequestVote message, String clusterId, Sender sender) {
    return RequestVoteRequest.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setPreVote(message.preVote())
        .setLastLogIndex(message.lastLogIndex())
        .setLastLogTerm(message.lastLogTerm())
        .setTransfer(message.transfer())
        .build();
  }

  public static RequestVoteResponse encode(
      RaftMessage.RequestVoteReply message, String clusterId, Sender sender) {
    return RequestVoteResponse.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setPreVote(message.preVote())
        .setGranted(message.granted())
        .setRequestTerm(message.requestTerm())
        .build();
  }

  public static AppendEntriesRequest encode(
      RaftMessage.AppendEntries message, String clusterId, Sender sender) {
    AppendEntriesRequest.Builder request =
        AppendEntriesRequest.newBuilder()
            .setEnvelope(envelope(message, clusterId, sender))
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
      RaftMessage.AppendEntriesReply message, String clusterId, Sender sender) {
    return AppendEntriesResponse.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setSuccess(message.success())
        .setMatchIndex(message.matchIndex())
        .setRejectedIndex(message.rejectedIndex())
        .setConflictTerm(message.conflictTerm())
        .setConflictIndex(message.conflictIndex())
        .setRound(message.round())
        .build();
  }

  public static InstallSnapshotRequest encode(
      RaftMessage.InstallSnapshot message, String clusterId, Sender sender) {
    return InstallSnapshotRequest.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setSnapshot(MembershipCodec.encode(message.snapshot()))
        .setTotalBytes(message.totalBytes())
        .setOffset(message.offset())
        // Nobody changes the data of a message, so it needs no copy.
        .setData(UnsafeByteOperations.unsafeWrap(message.data()))
        .setChecksum(message.checksum())
        .setRound(message.round())
        .setClusterTimeMs(message.clusterTimeMs())
        .build();
  }

  public static InstallSnapshotResponse encode(
      RaftMessage.InstallSnapshotReply message, String clusterId, Sender sender) {
    return InstallSnapshotResponse.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setSnapshotIndex(message.snapshotIndex())
        .setNextOffset(message.nextOffset())
        .setInstalled(message.installed())
        .setRound(message.round())
        .build();
  }

  public static TimeoutNowRequest encode(
      RaftMessage.TimeoutNow message, String clusterId, Sender sender) {
    return TimeoutNowRequest.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setLastLogIndex(message.lastLogIndex())
        .build();
  }

  public static ReadIndexRequest encode(
      RaftMessage.ReadIndex message, String clusterId, Sender sender) {
    return ReadIndexRequest.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setRequest(message.request())
        .build();
  }

  public static ReadIndexResponse encode(
      RaftMessage.ReadIndexReply message, String clusterId, Sender sender) {
    return ReadIndexResponse.newBuilder()
        .setEnvelope(envelope(message, clusterId, sender))
        .setRequest(message.request())
        .setConfirmed(message.confirmed())
        .setIndex(message.index())
        .build();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.RequestVote decode(RequestVoteRequest message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    long term = Fields.atLeast(1, "envelope.term", envelope.getTerm());
    long lastLogIndex = Fields.atLeast(0, "last_log_index", message.getLastLogIndex());
    long lastLogTerm = Fields.atLeast(0, "last_log_term", message.getLastLogTerm());
    Fields.requirePosition("last_log", lastLogIndex, lastLogTerm, term);
    return new RaftMessage.RequestVote(
        from(envelope),
        to(envelope),
        term,
        message.getPreVote(),
        lastLogIndex,
        lastLogTerm,
        message.getTransfer());
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.RequestVoteReply decode(RequestVoteResponse message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.RequestVoteReply(
        from(envelope),
        to(envelope),
        Fields.atLeast(0, "envelope.term", envelope.getTerm()),
        message.getPreVote(),
        message.getGranted(),
        Fields.atLeast(1, "request_term", message.getRequestTerm()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.AppendEntries decode(AppendEntriesRequest message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    long term = Fields.atLeast(1, "envelope.term", envelope.getTerm());
    long prevLogIndex = Fields.atLeast(0, "prev_log_index", message.getPrevLogIndex());
    long prevLogTerm = Fields.atLeast(0, "prev_log_term", message.getPrevLogTerm());
    Fields.requirePosition("prev_log", prevLogIndex, prevLogTerm, term);
    return new RaftMessage.AppendEntries(
        from(envelope),
        to(envelope),
        term,
        prevLogIndex,
        prevLogTerm,
        entries(message.getEntriesList(), prevLogIndex, prevLogTerm, term),
        Fields.atLeast(0, "leader_commit", message.getLeaderCommit()),
        Fields.atLeast(0, "round", message.getRound()),
        Fields.atLeast(0, "cluster_time_ms", message.getClusterTimeMs()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.AppendEntriesReply decode(AppendEntriesResponse message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.AppendEntriesReply(
        from(envelope),
        to(envelope),
        Fields.atLeast(1, "envelope.term", envelope.getTerm()),
        message.getSuccess(),
        Fields.atLeast(0, "match_index", message.getMatchIndex()),
        Fields.atLeast(0, "rejected_index", message.getRejectedIndex()),
        Fields.atLeast(0, "conflict_term", message.getConflictTerm()),
        Fields.atLeast(0, "conflict_index", message.getConflictIndex()),
        Fields.atLeast(0, "round", message.getRound()));
  }

  /**
   * Does not compare the data with its checksum: whoever stores them does.
   *
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.InstallSnapshot decode(InstallSnapshotRequest message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Fields.require(message.hasSnapshot(), "snapshot", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    long term = Fields.atLeast(1, "envelope.term", envelope.getTerm());
    SnapshotMeta snapshot = MembershipCodec.decode(message.getSnapshot());
    Fields.requirePosition("snapshot.last", snapshot.last().index(), snapshot.last().term(), term);
    long totalBytes = Fields.atLeast(1, "total_bytes", message.getTotalBytes());
    long offset = Fields.atLeast(0, "offset", message.getOffset());
    Fields.require(!message.getData().isEmpty(), "data", "is a part of a snapshot", "empty");
    if (offset > totalBytes - message.getData().size()) {
      throw Fields.broken("offset", "leaves room for the data in " + totalBytes + " bytes", offset);
    }
    return new RaftMessage.InstallSnapshot(
        from(envelope),
        to(envelope),
        term,
        snapshot,
        totalBytes,
        offset,
        message.getData().toByteArray(),
        message.getChecksum(),
        Fields.atLeast(0, "round", message.getRound()),
        Fields.atLeast(0, "cluster_time_ms", message.getClusterTimeMs()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.InstallSnapshotReply decode(InstallSnapshotResponse message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.InstallSnapshotReply(
        from(envelope),
        to(envelope),
        Fields.atLeast(1, "envelope.term", envelope.getTerm()),
        Fields.atLeast(1, "snapshot_index", message.getSnapshotIndex()),
        Fields.atLeast(0, "next_offset", message.getNextOffset()),
        message.getInstalled(),
        Fields.atLeast(0, "round", message.getRound()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.TimeoutNow decode(TimeoutNowRequest message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.TimeoutNow(
        from(envelope),
        to(envelope),
        Fields.atLeast(1, "envelope.term", envelope.getTerm()),
        Fields.atLeast(0, "last_log_index", message.getLastLogIndex()));
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.ReadIndex decode(ReadIndexRequest message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.ReadIndex(
        from(envelope),
        to(envelope),
        Fields.atLeast(0, "envelope.term", envelope.getTerm()),
        message.getRequest());
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.ReadIndexReply decode(ReadIndexResponse message) {
    Fields.require(message.hasEnvelope(), "envelope", "is present", "absent");
    Envelope envelope = message.getEnvelope();
    return new RaftMessage.ReadIndexReply(
        from(envelope),
        to(envelope),
        Fields.atLeast(0, "envelope.term", envelope.getTerm()),
        message.getRequest(),
        message.getConfirmed(),
        Fields.atLeast(0, "index", message.getIndex()));
  }

  private static Envelope envelope(RaftMessage message, String clusterId, Sender sender) {
    return Envelope.newBuilder()
        .setClusterId(clusterId)
        .setFrom(message.from().value())
        .setTo(message.to().value())
        .setTerm(message.term())
        .setIncarnation(sender.incarnation())
        .setMembershipIndex(sender.membershipIndex())
        .build();
  }

  /**
   * What a message tells of its sender.
   *
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static Sender sender(Envelope envelope) {
    return new Sender(
        envelope.getIncarnation(),
        Fields.atLeast(0, "envelope.membership_index", envelope.getMembershipIndex()));
  }

  private static NodeId from(Envelope envelope) {
    Fields.require(envelope.getFrom() != 0, "envelope.from", "is a member", "0");
    return new NodeId(envelope.getFrom());
  }

  private static NodeId to(Envelope envelope) {
    Fields.require(envelope.getTo() != 0, "envelope.to", "is a member", "0");
    return new NodeId(envelope.getTo());
  }

  private static LogEntry encode(Entry entry) {
    LogEntry.Builder message =
        LogEntry.newBuilder()
            .setKind(kind(entry.kind()))
            .setIndex(entry.index())
            .setTerm(entry.term())
            .setClusterTimeMs(entry.clusterTimeMs())
            // Nobody changes the payload of an entry, so it needs no copy.
            .setPayload(UnsafeByteOperations.unsafeWrap(entry.payload()));
    if (entry.membership() != null) {
      message.setMembership(MembershipCodec.encode(entry.membership()));
    }
    return message.build();
  }

  private static LogEntry.Kind kind(EntryKind kind) {
    return switch (kind) {
      case NO_OP -> LogEntry.Kind.KIND_NO_OP;
      case COMMAND -> LogEntry.Kind.KIND_COMMAND;
      case CONFIGURATION -> LogEntry.Kind.KIND_CONFIGURATION;
    };
  }

  /** Entries follow each other and the previous one without a gap; terms and times never fall. */
  private static List<Entry> entries(
      List<LogEntry> messages, long prevLogIndex, long prevLogTerm, long leaderTerm) {
    if (messages.isEmpty()) {
      return List.of();
    }
    if (prevLogIndex > Long.MAX_VALUE - messages.size()) {
      throw Fields.broken("prev_log_index", "leaves room for the entries", prevLogIndex);
    }
    List<Entry> entries = new ArrayList<>(messages.size());
    long index = prevLogIndex;
    long term = Math.max(1, prevLogTerm);
    long clusterTimeMs = 0;
    for (LogEntry message : messages) {
      index++;
      if (message.getIndex() != index) {
        throw Fields.broken(
            "entries.index", "is " + index + " here, without gaps", message.getIndex());
      }
      term = Fields.atLeast(term, "entries.term", message.getTerm());
      if (term > leaderTerm) {
        throw Fields.broken("entries.term", "is at most the leader's, " + leaderTerm, term);
      }
      clusterTimeMs =
          Fields.atLeast(clusterTimeMs, "entries.cluster_time_ms", message.getClusterTimeMs());
      entries.add(entry(message));
    }
    return entries;
  }

  private static Entry entry(LogEntry message) {
    boolean configures = message.getKind() == LogEntry.Kind.KIND_CONFIGURATION;
    Fields.require(
        message.hasMembership() == configures,
        "entries.membership",
        "is present exactly in a configuration",
        configures ? "absent" : "present");
    return switch (message.getKind()) {
      case KIND_NO_OP -> {
        requireNoPayload(message, "a no-op");
        yield Entry.noOp(message.getIndex(), message.getTerm(), message.getClusterTimeMs());
      }
      case KIND_COMMAND -> {
        Fields.require(!message.getPayload().isEmpty(), "entries.payload", "is a command", "empty");
        yield Entry.command(
            message.getIndex(),
            message.getTerm(),
            message.getClusterTimeMs(),
            message.getPayload().toByteArray());
      }
      case KIND_CONFIGURATION -> {
        requireNoPayload(message, "a configuration");
        Membership membership = MembershipCodec.decode(message.getMembership());
        Fields.require(!membership.isEmpty(), "entries.membership", "has members", "none");
        yield Entry.configuration(
            message.getIndex(), message.getTerm(), message.getClusterTimeMs(), membership);
      }
      case KIND_UNSPECIFIED, UNRECOGNIZED ->
          throw Fields.broken("entries.kind", "is a known kind", message.getKindValue());
    };
  }

  private static void requireNoPayload(LogEntry message, String kind) {
    Fields.require(
        message.getPayload().isEmpty(), "entries.payload", "is empty in " + kind, "bytes");
  }
}
