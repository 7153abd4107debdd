// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.v1.ResponseHeader;

/** Makes the headers of answers. */
final class Headers {

  private final String clusterId;
  private final NodeId self;

  Headers(ApiSettings settings) {
    clusterId = settings.clusterId();
    self = settings.self();
  }

  ResponseHeader of(Answered<?> answer) {
    return header(answer.leader(), answer.term(), answer.revision());
  }

  /** Of the answer to a read; {@code stale} if it was asked to be one. */
  ResponseHeader of(Answered<?> answer, boolean stale) {
    ResponseHeader header = of(answer);
    return stale ? header.toBuilder().setStale(true).build() : header;
  }

  ResponseHeader of(RaftStatus status) {
    return header(status.leader(), status.term(), status.applied());
  }

  private ResponseHeader header(NodeId leader, long term, long revision) {
    return ResponseHeader.newBuilder()
        .setClusterId(clusterId)
        .setMemberId(self.value())
        .setLeaderId(leader.value())
        .setTerm(term)
        .setRevision(revision)
        .build();
  }
}
