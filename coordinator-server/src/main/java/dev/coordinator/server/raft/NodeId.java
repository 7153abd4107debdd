// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * The number that identifies a member within its cluster, 1 or more; {@link #NONE} is no member.
 */
public record NodeId(long value) implements Comparable<NodeId> {

  public static final NodeId NONE = new NodeId(0);

  public boolean isNone() {
    return value == 0;
  }

  @Override
  public int compareTo(NodeId other) {
    return Long.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toUnsignedString(value);
  }
}
