// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.LockEvent;
import dev.coordinator.client.LockInfo;
import dev.coordinator.client.WatchListener;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import dev.coordinator.v1.WatchServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A watch that outlives its connections: it goes on at another member from the last revision it saw
 * + 1, and starts over from a fresh state when that revision is no longer kept.
 *
 * <p>What it knows belongs to its serial executor, on which the listener is called too; the next
 * message is requested when the listener is done with the last. Thread-safe.
 */
public final class WatchStream {

  private static final Logger log = LoggerFactory.getLogger(WatchStream.class);

  private static final long MIN_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long MAX_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final int MAX_DOUBLINGS = 6;

  private final LeaderChannel channel;
  private final WatchRequest target;
  private final WatchListener listener;
  private final SerialExecutor serial;

  private volatile Stream current;
  private volatile boolean closed;

  /** Everything up to this revision has been delivered. */
  private long revision;

  /** The last event delivered, which may be one of several of a later revision. */
  private long eventRevision;

  private int eventOrdinal;
  private boolean needsState = true;
  private List<LockInfo> partialState = new ArrayList<>();
  private int failures;
  private MemberChannel avoided;

  /**
   * @param target a request with nothing but name or prefix, and kinds
   */
  public WatchStream(
      LeaderChannel channel, WatchRequest target, WatchListener listener, Executor callbacks) {
    this.channel = channel;
    this.target = target;
    this.listener = listener;
    this.serial = new SerialExecutor(callbacks);
  }

  public void start() {
    serial.execute(this::open);
  }

  /** Ends the watch; at most the call of the listener that is under way goes on. */
  public void close() {
    closed = true;
    Stream stream = current;
    if (stream != null) {
      stream.abandon();
    }
  }

  private void open() {
    if (closed || channel.isClosed()) {
      return;
    }
    WatchRequest.Builder request = target.toBuilder().setProgress(true);
    if (needsState) {
      partialState = new ArrayList<>();
      request.setInitialState(true);
    } else {
      request.setStartRevision(revision + 1);
    }
    Stream stream = new Stream(channel.pickAny(avoided));
    current = stream;
    stream.start(1);
    stream.send(request.build());
    stream.halfClose();
    if (closed) {
      stream.abandon();
    }
  }

  private void deliver(Stream from, WatchResponse response) {
    if (closed || from != current) {
      return;
    }
    failures = 0;
    avoided = null;
    if (needsState) {
      deliverState(response);
    }
    for (dev.coordinator.v1.LockEvent event : response.getEventsList()) {
      deliver(ProtoRecords.event(event));
    }
    if (!needsState) {
      revision = Math.max(revision, response.getRevision());
    }
    from.request(1);
  }

  /**
   * A large state comes in several messages; the last one carries the revision, and may carry
   * events.
   */
  private void deliverState(WatchResponse response) {
    partialState.addAll(ProtoRecords.locks(response.getInitialStateList()));
    if (response.getRevision() == 0) {
      return;
    }
    List<LockInfo> state = partialState;
    partialState = new ArrayList<>();
    needsState = false;
    revision =
        response.getEventsCount() > 0
            ? response.getEvents(0).getRevision() - 1
            : response.getRevision();
    tell(() -> listener.onState(state, revision));
  }

  private void deliver(LockEvent event) {
    if (!closed && event.revision() > revision && isNew(event)) {
      eventRevision = event.revision();
      eventOrdinal = event.ordinal();
      tell(() -> listener.onEvent(event));
    }
  }

  /**
   * Many events of one revision may come in several messages. A stream that breaks between them is
   * resumed at the revision's beginning.
   */
  private boolean isNew(LockEvent event) {
    return event.revision() > eventRevision
        || (event.revision() == eventRevision
            && Integer.compareUnsigned(event.ordinal(), eventOrdinal) > 0);
  }

  private void ended(Stream stream, Failure failure) {
    if (closed || stream != current) {
      return;
    }
    if (failure != null && failure.reason() == Reason.COMPACTED) {
      long oldest = oldestRevision(failure);
      needsState = true;
      tell(() -> listener.onGap(oldest));
      open();
      return;
    }
    // A limit on watches is one of the member; another may have room.
    boolean full = failure != null && failure.reason() == Reason.LIMIT_REACHED;
    if (full && failures == 0) {
      log.warn(
          "{} refuses a watch, which goes on elsewhere: {}",
          stream.member().address(),
          failure.message());
    }
    if (failure != null && failure.kind() == Failure.Kind.REFUSED && !full) {
      closed = true;
      tell(() -> listener.onError(failure.toException()));
      return;
    }
    avoided = stream.member();
    long delay = Math.min(MAX_DELAY_NANOS, MIN_DELAY_NANOS << Math.min(failures++, MAX_DOUBLINGS));
    channel.schedule(
        () -> serial.execute(this::open),
        delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1));
  }

  private static long oldestRevision(Failure failure) {
    try {
      return Long.parseUnsignedLong(failure.details().getOrDefault("oldest_revision", "0"));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private void tell(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      log.error("A watch listener failed; the watch goes on", e);
    }
  }

  private final class Stream extends MemberCall<WatchRequest, WatchResponse> {

    Stream(MemberChannel member) {
      super(channel, member, WatchServiceGrpc.getWatchMethod(), NO_TIMEOUT);
    }

    @Override
    void received(WatchResponse message) {
      serial.execute(() -> deliver(this, message));
    }

    @Override
    void ended(Failure failure) {
      serial.execute(() -> WatchStream.this.ended(this, failure));
    }
  }
}
