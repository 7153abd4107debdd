// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.raft.WriteBatch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the messages of one member have promised to outlive every crash: its terms, its votes and
 * the entries that it confirmed (§3.8). Checked at each start, so that a broken promise shows at
 * once, and not only when two more members happen to rely on it.
 */
final class Promises {

  /** Entries behind {@code keptIndex} gave way to others in this term. */
  private record Replacement(long term, long keptIndex) {}

  private final NodeId member;
  private final Majorities majorities;
  private long term;

  private final List<Replacement> replacements = new ArrayList<>();

  /**
   * By term, the last entry of it or of an earlier one that the log on disk ever had. Terms that
   * reached no further than those before them are left out.
   */
  private final TreeMap<Long, Long> reached = new TreeMap<>();

  /** The last entries of the snapshots of which any part came from a leader. */
  private final Set<LogPosition> sentByLeaders = new HashSet<>();

  private long voteTerm;
  private NodeId vote = NodeId.NONE;
  private long confirmedIndex;
  private boolean lost;

  Promises(NodeId member, Majorities majorities) {
    this.member = member;
    this.majorities = majorities;
  }

  /** Up to where it has told a leader that it holds the log. */
  long confirmedIndex() {
    return confirmedIndex;
  }

  void sent(RaftMessage message) {
    if (lost) {
      return; // Nobody may count on what it says.
    }
    if (message instanceof RaftMessage.RequestVote request) {
      if (request.preVote()) {
        return; // Of a term to come, which it promises nothing of.
      }
      voted(request.term(), request.from());
    } else if (message instanceof RaftMessage.RequestVoteReply reply) {
      if (reply.granted() && !reply.preVote()) {
        voted(reply.term(), reply.to());
      }
    } else if (message instanceof RaftMessage.AppendEntriesReply reply && reply.success()) {
      confirms(reply.term(), reply.matchIndex());
    } else if (message instanceof RaftMessage.InstallSnapshotReply reply && reply.installed()) {
      confirms(reply.term(), reply.snapshotIndex());
    }
    term = Math.max(term, message.term());
  }

  /**
   * What it tells the leader of a term to have, its log on disk had, as entries of that term or
   * before. A snapshot alone does not count: it may turn out to be damaged.
   */
  private void confirms(long inTerm, long index) {
    Map.Entry<Long, Long> last = reached.floorEntry(inTerm);
    long written = last == null ? 0 : last.getValue();
    if (written < index) {
      throw new Violation(
          "member %s confirms entries up to %d in term %d, but wrote them up to %d",
          member, index, inTerm, written);
    }
    confirmedIndex = Math.max(confirmedIndex, Math.min(index, keptSince(inTerm)));
  }

  private void reaches(LogPosition position) {
    Map.Entry<Long, Long> upToTerm = reached.floorEntry(position.term());
    if (upToTerm != null && upToTerm.getValue() >= position.index()) {
      return;
    }
    reached.put(position.term(), position.index());
    Map.Entry<Long, Long> later = reached.higherEntry(position.term());
    while (later != null && later.getValue() <= position.index()) {
      reached.remove(later.getKey());
      later = reached.higherEntry(position.term());
    }
  }

  /** A part of a snapshot came from a leader; the whole of it may take the place of the log. */
  void receives(SnapshotMeta snapshot) {
    sentByLeaders.add(snapshot.last());
  }

  /** In this term, entries behind an index gave way to those of its leader. */
  void replaced(long inTerm, long keptIndex) {
    replacements.add(new Replacement(inTerm, keptIndex));
  }

  /**
   * Up to where leaders of later terms have left the log as it was: what an older one is still told
   * of may be replaced already.
   */
  private long keptSince(long inTerm) {
    long kept = Long.MAX_VALUE;
    for (Replacement replacement : replacements) {
      if (replacement.term() > inTerm) {
        kept = Math.min(kept, replacement.keptIndex());
      }
    }
    return kept;
  }

  private void voted(long inTerm, NodeId candidate) {
    majorities.voted(member, inTerm, candidate);
    if (inTerm >= voteTerm) {
      voteTerm = inTerm;
      vote = candidate;
    }
  }

  /** It begins to write; what is replaced by entries of a newer leader was not committed. */
  void writes(WriteBatch batch) {
    if (batch.base() != null) {
      confirmedIndex = Math.min(confirmedIndex, batch.base().index());
    }
    if (!batch.entries().isEmpty()) {
      confirmedIndex = Math.min(confirmedIndex, batch.entries().get(0).index() - 1);
    }
  }

  /** What it began to write has reached the disk. */
  void wrote(WriteBatch batch) {
    if (batch.base() != null) {
      reaches(batch.base());
    }
    batch.entries().forEach(entry -> reaches(entry.position()));
  }

  /** Its disks were replaced by empty ones: it can keep no promise, and must not be believed. */
  void lostDisks() {
    lost = true;
  }

  /** It starts anew with what it found on its disks. */
  void checkKept(RestoredState found) {
    HardState hardState = found.hardState();
    long lastIndex = found.base().index() + found.entries().size();
    reaches(new LogPosition(lastIndex, hardState.term())); // Whatever it wrote before.
    replacements.clear();
    if (lost) {
      return;
    }
    if (hardState.term() < term) {
      throw new Violation(
          "member %s spoke in term %d, but knows only term %d after its start",
          member, term, hardState.term());
    }
    if (hardState.term() == voteTerm && !hardState.votedFor().equals(vote)) {
      throw new Violation(
          "member %s voted for member %s in term %d, but knows of a vote for %s after its start",
          member, vote, voteTerm, hardState.votedFor());
    }
    SnapshotMeta snapshot = found.snapshot();
    boolean gaveWay = snapshot != null && snapshot.index() >= lastIndex;
    if (gaveWay && sentByLeaders.contains(snapshot.last())) {
      // The log may have had more, but not what that leader had: it was never committed.
      confirmedIndex = Math.min(confirmedIndex, snapshot.index());
    } else if (lastIndex < confirmedIndex) {
      throw new Violation(
          "member %s confirmed entries up to %d, but has only %d after its start",
          member, confirmedIndex, lastIndex);
    }
  }
}
