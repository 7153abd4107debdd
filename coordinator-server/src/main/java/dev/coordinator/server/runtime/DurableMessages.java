// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.RaftMessage;
import java.util.ArrayDeque;
import java.util.List;

/** Messages that wait for a write batch to be durable, because they promise what it holds. */
final class DurableMessages {

  private record Waiting(long batch, RaftMessage message) {}

  private final PeerSender peers;
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private long newestBatch;
  private long durableBatch;

  DurableMessages(PeerSender peers) {
    this.peers = peers;
  }

  /** Notes the newest batch that was handed to the log. */
  void handedOver(long batch) {
    newestBatch = batch;
  }

  /** Sends the messages once the newest batch handed over is durable. */
  void sendWhenDurable(List<RaftMessage> messages) {
    boolean durable = newestBatch <= durableBatch;
    for (RaftMessage message : messages) {
      if (durable) {
        peers.send(message);
      } else {
        waiting.add(new Waiting(newestBatch, message));
      }
    }
  }

  /** Sends what waited for this batch and earlier ones. */
  void durable(long batch) {
    durableBatch = Math.max(durableBatch, batch);
    while (!waiting.isEmpty() && waiting.peek().batch() <= durableBatch) {
      peers.send(waiting.remove().message());
    }
  }
}
