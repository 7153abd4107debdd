// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.NodeId;

/**
 * An answer with where it comes from.
 *
 * @param revision the index up to which this member had applied the log
 * @param clusterTimeMs the cluster time at the answer: to a command that of its entry, to a read
 *     the present one, which goes on while nothing is applied
 */
public record Answered<T>(T value, NodeId leader, long term, long revision, long clusterTimeMs) {

  /** Another value that comes from the same place. */
  <U> Answered<U> with(U other) {
    return new Answered<>(other, leader, term, revision, clusterTimeMs);
  }
}
