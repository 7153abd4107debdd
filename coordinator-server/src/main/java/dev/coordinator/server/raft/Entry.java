// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.Arrays;
import java.util.Objects;

/**
 * One entry of the replicated log. Immutable; nobody changes {@code payload} after construction.
 *
 * @param index its place in the log, from 1
 * @param term the term of the leader that made it
 * @param clusterTimeMs the leader's cluster time when it was made; never falls along the log
 * @param payload the command, empty for other kinds
 * @param membership the configuration, null for other kinds
 */
public record Entry(
    EntryKind kind,
    long index,
    long term,
    long clusterTimeMs,
    byte[] payload,
    Membership membership) {

  private static final byte[] NOTHING = new byte[0];

  public static Entry noOp(long index, long term, long clusterTimeMs) {
    return new Entry(EntryKind.NO_OP, index, term, clusterTimeMs, NOTHING, null);
  }

  public static Entry command(long index, long term, long clusterTimeMs, byte[] payload) {
    return new Entry(EntryKind.COMMAND, index, term, clusterTimeMs, payload, null);
  }

  public static Entry configuration(
      long index, long term, long clusterTimeMs, Membership membership) {
    return new Entry(EntryKind.CONFIGURATION, index, term, clusterTimeMs, NOTHING, membership);
  }

  public LogPosition position() {
    return new LogPosition(index, term);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Entry that
        && kind == that.kind
        && index == that.index
        && term == that.term
        && clusterTimeMs == that.clusterTimeMs
        && Arrays.equals(payload, that.payload)
        && Objects.equals(membership, that.membership);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, index, term, clusterTimeMs, Arrays.hashCode(payload), membership);
  }

  /** As {@code index^term}, the form used in traces. */
  @Override
  public String toString() {
    return index + "^" + term;
  }
}
