// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * A member as the replicated configuration describes it.
 *
 * @param clientAddress where clients reach it, as {@code host:port}; the protocol does not read it
 * @param peerAddress where other members reach it
 * @param incarnation which data directory it runs on, 0 until that is known. A member that lost its
 *     directory has another one, and may not pass for the member that made promises with the first
 */
public record MemberInfo(NodeId id, String clientAddress, String peerAddress, long incarnation) {

  /** A member of which only the id is known. */
  public static MemberInfo of(NodeId id) {
    return new MemberInfo(id, "", "", 0);
  }

  /** Whether both are the same member at the same addresses, on whatever data directory. */
  boolean isReachedAs(MemberInfo other) {
    return id.equals(other.id)
        && clientAddress.equals(other.clientAddress)
        && peerAddress.equals(other.peerAddress);
  }

  public MemberInfo withIncarnation(long newIncarnation) {
    return new MemberInfo(id, clientAddress, peerAddress, newIncarnation);
  }
}
