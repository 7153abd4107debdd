// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Outcome;

/** Whoever waits for the outcome of a proposed entry. Told once, on the reply executor. */
interface PendingReply {

  void complete(Answered<Outcome> answer);

  void fail(NodeException why);
}
