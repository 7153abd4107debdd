// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.metrics.WatchMetrics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The watches of one member: a bounded history of lock events that each watch follows at its own
 * pace.
 *
 * <p>Three parties meet here. The <em>node loop</em> appends to the history, which costs it some
 * writes and one task per round however many watches there are. The <em>dispatcher</em>, a task on
 * the watch executor of which at most one runs at a time, owns the index of watches; it finds whom
 * an event concerns, notes the event's position in that watch and wakes its listener.
 * <em>Watchers</em>, on threads of their own, pull from the history directly. Nothing is copied per
 * watch, and a watch for which nothing happens never falls off the history.
 */
public final class WatchHub {

  /**
   * A step of a watch.
   *
   * @param revision everything up to it is covered; to resume, watch from the next one, which may
   *     repeat events if those of one revision are split over two steps
   * @param initialState in the first step, the matching locks if they were asked for
   * @param stateTimeMs the cluster time of the initial state; 0 if it was not asked for
   * @param events those that match, in order
   */
  public record Step(
      long revision, List<LockView> initialState, long stateTimeMs, List<WatchEvent> events) {}

  /**
   * Told about a watch, on the watch executor. Must not block.
   *
   * <p>{@link #ended} comes at most once, and nothing after it.
   */
  public interface Listener {

    /** There is something to pull: the first step, or events. */
    void ready();

    /**
     * This member has lost contact with a leader, stops, or has too much to do: go on at another
     * one, from the last covered revision. What can still be pulled remains true.
     */
    void ended(NodeException why);
  }

  /** A watch in progress. One thread at a time may pull. */
  public interface Subscription extends AutoCloseable {

    /**
     * Takes the next events, as many as a message takes: pull again until there is nothing, once
     * done with the step before. The first step comes as soon as the watch has started and may have
     * no events.
     *
     * @param progress whether to return a step without events if only the revision has moved on
     * @return null if there is nothing
     * @throws CompactedException if the history does not reach back to where this watch stands
     */
    Step pull(boolean progress);

    /** Ends the watch. Its listener may still hear what was on its way. */
    @Override
    void close();
  }

  private static final Logger log = LoggerFactory.getLogger(WatchHub.class);

  /** Most events in a step. */
  private static final int EVENTS_PER_STEP = 1_000;

  /** A step ends with the event that reaches this weight. */
  private static final int STEP_BYTES = 256 << 10;

  private final EventHistory history;
  private final Executor executor;
  private final WatchMetrics metrics;

  /** What the dispatcher has to do besides following the history: watches that come and go. */
  private final Queue<Runnable> requests = new ConcurrentLinkedQueue<>();

  /** How many times the dispatcher was called for since it last had nothing to do. */
  private final AtomicInteger calls = new AtomicInteger();

  /** The weight of the initial states that were gathered and may not all be sent. */
  private final AtomicInteger gatheredState = new AtomicInteger();

  // Owned by the dispatcher.
  private final Map<String, Set<Watch>> byName = new HashMap<>();
  private final Set<Watch> byPrefix = new LinkedHashSet<>();
  private int active;
  private NodeException closedBecause;

  /** Up to where the dispatcher has looked at the history. */
  private volatile EventHistory.End dispatched;

  WatchHub(WatchHistory bounds, Executor executor, WatchMetrics metrics) {
    this.history = new EventHistory(bounds.maxEvents(), bounds.maxBytes());
    this.executor = executor;
    this.metrics = metrics;
    this.dispatched = history.end();
  }

  /** Adds an event to the history. Only the loop calls this. */
  void append(WatchEvent event) {
    history.append(event);
  }

  /** Shows what was appended. Only the loop calls this, after a round of applying. */
  void publish(long revision) {
    long before = history.end().position();
    history.publish(revision);
    int events = (int) (history.end().position() - before);
    if (events > 0) {
      metrics.published(events, history.size());
      callDispatcher();
    }
  }

  /**
   * Begins a new history after a revision. Watches that have not seen everything before it end as
   * compacted. Only the loop calls this.
   */
  void restart(long revision) {
    history.restart(revision);
    callDispatcher();
  }

  /** Prepares a watch from now on or from a revision; {@link Watch#start} starts it. */
  Watch watch(WatchSpec spec, Listener listener) {
    return new Watch(spec, listener);
  }

  /** Locks and waiters in the initial states that watches have and did not yet send. */
  int gatheredState() {
    return gatheredState.get();
  }

  /** Ends every watch, and those that come until {@link #open}. */
  void close(NodeException why) {
    request(
        () -> {
          closedBecause = why;
          Set<Watch> all = new LinkedHashSet<>();
          everyWatch(all);
          metrics.ended(all.size());
          all.forEach(watch -> endNow(watch, why));
        });
  }

  /** Takes watches again. */
  void open() {
    request(() -> closedBecause = null);
  }

  private void request(Runnable request) {
    requests.add(request);
    callDispatcher();
  }

  private void callDispatcher() {
    if (calls.getAndIncrement() == 0) {
      executor.execute(this::dispatch);
    }
  }

  /** Works until nobody has called since it last looked. */
  private void dispatch() {
    int seen = calls.get();
    do {
      dispatchEvents();
      for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
        request.run();
      }
      seen = calls.addAndGet(-seen);
    } while (seen != 0);
  }

  private void dispatchEvents() {
    EventHistory.End end = history.end();
    Set<Watch> concerned = new LinkedHashSet<>();
    for (long position = dispatched.position(); position < end.position(); position++) {
      WatchEvent event;
      try {
        event = history.at(position);
      } catch (CompactedException overtaken) {
        // Nobody knows any more whom these events concerned, so every watch looks for itself.
        position = end.position() - 1;
        everyWatch(concerned);
        for (Watch watch : concerned) {
          watch.concernedFrom(dispatched.position(), position);
        }
        continue;
      }
      long here = position;
      for (Watch watch : byName.getOrDefault(event.name(), Set.of())) {
        if (watch.spec.matches(event)) {
          watch.concernedFrom(here, here);
          concerned.add(watch);
        }
      }
      for (Watch watch : byPrefix) {
        if (watch.spec.matches(event)) {
          watch.concernedFrom(here, here);
          concerned.add(watch);
        }
      }
    }
    // Published before the listeners hear of it, so that what they pull includes these events.
    dispatched = end;
    concerned.forEach(Watch::tellReady);
  }

  private void everyWatch(Set<Watch> into) {
    byName.values().forEach(into::addAll);
    into.addAll(byPrefix);
  }

  private void endNow(Watch watch, NodeException why) {
    if (remove(watch)) {
      watch.tellEnded(why);
    }
  }

  private void add(Watch watch) {
    if (watch.spec.prefix()) {
      byPrefix.add(watch);
    } else {
      byName.computeIfAbsent(watch.spec.name(), name -> new LinkedHashSet<>()).add(watch);
    }
    metrics.active(++active);
  }

  private boolean remove(Watch watch) {
    boolean removed;
    if (watch.spec.prefix()) {
      removed = byPrefix.remove(watch);
    } else {
      Set<Watch> sameName = byName.getOrDefault(watch.spec.name(), Set.of());
      removed = sameName.contains(watch) && sameName.remove(watch);
      if (sameName.isEmpty()) {
        byName.remove(watch.spec.name());
      }
    }
    if (removed) {
      metrics.active(--active);
    }
    return removed;
  }

  /**
   * One watch.
   *
   * <p>The dispatcher writes the positions of the first event that concerns it and may not be
   * pulled, and of the last one; the watcher writes how far it has pulled. Each writes only its own
   * fields, so that they need no lock. The first position moves on only when everything noted
   * before was pulled; it may thus lie too early, which costs a longer search, but never too late.
   */
  final class Watch implements Subscription {

    private final WatchSpec spec;
    private final Listener listener;

    /** Only events from here on count. Set before the watch starts. */
    private long fromRevision;

    private List<LockView> initialState = List.of();
    private long stateTimeMs;

    /** What this watch has of {@link #gatheredState}. */
    private final AtomicInteger stateWeight = new AtomicInteger();

    // Written by the dispatcher.
    private volatile boolean started;
    private volatile long firstConcerning = Long.MAX_VALUE;
    private volatile long lastConcerning = -1;

    // Written by the watcher.
    private volatile long pulledTo;
    private volatile boolean closed;
    private boolean firstStepPulled;
    private long coveredRevision;

    private Watch(WatchSpec spec, Listener listener) {
      this.spec = spec;
      this.listener = listener;
      this.fromRevision =
          spec.startRevision() == 0 ? history.end().revision() + 1 : spec.startRevision();
    }

    WatchSpec spec() {
      return spec;
    }

    boolean isClosed() {
      return closed;
    }

    /**
     * Starts with this state; the events after {@code revision} follow.
     *
     * @param weight of the state, until it is sent or the watch ends
     */
    void startWith(List<LockView> state, int weight, long revision, long clusterTimeMs) {
      stateWeight.set(weight);
      gatheredState.addAndGet(weight);
      initialState = state;
      stateTimeMs = clusterTimeMs;
      fromRevision = revision + 1;
      start();
    }

    void start() {
      coveredRevision = fromRevision - 1;
      request(
          () -> {
            if (closedBecause != null) {
              forgetState();
              tellEnded(closedBecause);
            } else if (!closed) {
              add(this);
              // What the dispatcher has passed, this watch searches itself.
              if (dispatched.position() > 0) {
                concernedFrom(0, dispatched.position() - 1);
              }
              started = true;
              tellReady();
            } else {
              forgetState();
            }
          });
    }

    /** Ends a watch that may not have started. */
    void end(NodeException why) {
      request(
          () -> {
            remove(this);
            tellEnded(why);
          });
    }

    private void forgetState() {
      if (stateWeight.get() != 0) {
        gatheredState.addAndGet(-stateWeight.getAndSet(0));
      }
    }

    private void tellReady() {
      tell(listener::ready);
    }

    private void tellEnded(NodeException why) {
      tell(() -> listener.ended(why));
    }

    /** One listener's fault must not cost the others their watches. */
    private void tell(Runnable news) {
      if (closed) {
        return;
      }
      try {
        news.run();
      } catch (RuntimeException fault) {
        log.warn("the listener of a watch failed", fault);
      }
    }

    private void concernedFrom(long first, long last) {
      if (lastConcerning < pulledTo) {
        firstConcerning = first;
      }
      lastConcerning = last;
    }

    @Override
    public Step pull(boolean progress) {
      if (!started) {
        return null;
      }
      if (!firstStepPulled) {
        seekStart();
        firstStepPulled = true;
        Step step = next();
        List<LockView> state = initialState;
        initialState = List.of();
        return new Step(
            step == null ? coveredRevision : step.revision(),
            state,
            stateTimeMs,
            step == null ? List.of() : step.events());
      }
      forgetState(); // The one who pulls again has sent it.
      long before = coveredRevision;
      Step step = next();
      if (step != null || !progress || coveredRevision == before) {
        return step;
      }
      return new Step(coveredRevision, List.of(), 0, List.of());
    }

    @Override
    public void close() {
      closed = true;
      forgetState();
      request(() -> remove(this));
    }

    private void seekStart() {
      try {
        pulledTo = history.firstAtOrAfter(fromRevision, dispatched.position());
      } catch (CompactedException compacted) {
        metrics.compacted();
        throw compacted;
      }
    }

    /** Returns null if there are no events, having moved the covered revision on. */
    private Step next() {
      // The history's own end, read first, reaches further than the dispatched one only by events
      // of
      // other locks or by none; if by none, its revision is covered as well.
      EventHistory.End newest = history.end();
      EventHistory.End end = dispatched;
      if (end.position() == newest.position() && end.revision() < newest.revision()) {
        end = newest;
      }
      List<WatchEvent> events = new ArrayList<>();
      int bytes = 0;
      if (lastConcerning >= pulledTo) {
        long position = Math.max(pulledTo, firstConcerning);
        try {
          for (; position < end.position(); position++) {
            WatchEvent event = history.at(position);
            if (event.revision() < fromRevision || !spec.matches(event)) {
              continue;
            }
            if (events.size() >= EVENTS_PER_STEP || bytes >= STEP_BYTES) {
              return step(position, event.revision() - 1, events);
            }
            events.add(event);
            bytes += event.weight();
          }
        } catch (CompactedException compacted) {
          metrics.compacted();
          throw compacted;
        }
      }
      Step step = step(end.position(), end.revision(), events);
      return events.isEmpty() ? null : step;
    }

    private Step step(long position, long revision, List<WatchEvent> events) {
      pulledTo = Math.max(pulledTo, position);
      coveredRevision = Math.max(coveredRevision, revision);
      metrics.delivered(events.size());
      return new Step(coveredRevision, List.of(), 0, events);
    }
  }
}
