// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An inbox that lets a test wait for the reports of a log: a batch number, or a cause. */
class RecordingInbox implements Inbox {

  private final BlockingQueue<Object> reports = new LinkedBlockingQueue<>();

  @Override
  public void persisted(long batch) {
    reports.add(batch);
  }

  @Override
  public void failed(Throwable cause) {
    reports.add(cause);
  }

  @Override
  public void receive(Sender sender, RaftMessage message) {
    throw new AssertionError("a log sends no messages");
  }

  @Override
  public void disconnected(NodeId peer) {
    throw new AssertionError("a log has no connections");
  }

  /** The next report; a log that has nothing to say for that long is stuck. */
  Object next() throws InterruptedException {
    Object report = reports.poll(60, TimeUnit.SECONDS);
    assertNotNull(report, "no report of the log");
    return report;
  }

  /** What was reported and not yet taken. */
  List<Object> rest() {
    List<Object> rest = new ArrayList<>();
    reports.drainTo(rest);
    return rest;
  }
}
