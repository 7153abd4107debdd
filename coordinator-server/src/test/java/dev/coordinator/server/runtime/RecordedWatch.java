// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import java.util.ArrayList;
import java.util.List;

/** A watcher that notes what it is told and pulls when asked. */
class RecordedWatch implements WatchHub.Listener {

  int wakeUps;
  NodeException end;
  WatchHub.Subscription subscription;

  @Override
  public void ready() {
    wakeUps++;
  }

  @Override
  public void ended(NodeException why) {
    if (end != null) {
      throw new AssertionError("ended twice");
    }
    end = why;
  }

  /** Pulls until there is nothing. */
  List<WatchHub.Step> pullAll() {
    List<WatchHub.Step> steps = new ArrayList<>();
    for (WatchHub.Step step = subscription.pull(false);
        step != null;
        step = subscription.pull(false)) {
      steps.add(step);
    }
    return steps;
  }

  /** The revisions of the events that {@link #pullAll} gives. */
  List<Long> revisions() {
    return pullAll().stream()
        .flatMap(step -> step.events().stream())
        .map(WatchEvent::revision)
        .toList();
  }
}
