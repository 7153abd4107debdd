// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.internal.v1.RequestVoteResponse;
import dev.coordinator.server.raft.RaftMessage;

/** Messages between members to protobuf and back. */
public final class MessageCodec {

  private MessageCodec() {}

  public static RequestVoteRequest encode(RaftMessage.RequestVote message, String clusterId) {
    throw new UnsupportedOperationException();
  }

  public static RequestVoteResponse encode(RaftMessage.RequestVoteReply message, String clusterId) {
    throw new UnsupportedOperationException();
  }

  public static AppendEntriesRequest encode(RaftMessage.AppendEntries message, String clusterId) {
    throw new UnsupportedOperationException();
  }

  public static AppendEntriesResponse encode(
      RaftMessage.AppendEntriesReply message, String clusterId) {
    throw new UnsupportedOperationException();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.RequestVote decode(RequestVoteRequest message) {
    throw new UnsupportedOperationException();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.RequestVoteReply decode(RequestVoteResponse message) {
    throw new UnsupportedOperationException();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.AppendEntries decode(AppendEntriesRequest message) {
    throw new UnsupportedOperationException();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static RaftMessage.AppendEntriesReply decode(AppendEntriesResponse message) {
    throw new UnsupportedOperationException();
  }
}
