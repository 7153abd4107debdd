// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.List;

/** What applying one entry caused. Owned and reused by the caller. */
public final class ApplyResult {

  /** An answer to the entry at {@code index}: the applied one, or an earlier one that waited. */
  public record Reply(long index, Outcome outcome) {}

  public final List<Reply> replies = new ArrayList<>();

  /** In order; the place in this list is the ordinal. */
  public final List<Event> events = new ArrayList<>();

  public void clear() {
    replies.clear();
    events.clear();
  }
}
