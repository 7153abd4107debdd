// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.v1.RequestId;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The numbers of one lease's requests: they rise, and each request tells the cluster up to where
 * every earlier one has been answered.
 *
 * <p>A number stays outstanding until {@link #answered}, over all attempts of its request. The
 * cluster remembers the outcomes of a lease from the lowest outstanding number on, but not without
 * limit. So a request that would go too far beyond the lowest one waits here for its number, first
 * come, first served; and one that waits long at the cluster, while many others come and go, is
 * asked to continue under a fresh number.
 *
 * <p>Thread-safe. Requests are sent on the thread that takes the number or, if they had to wait for
 * it, on that of an answer.
 */
public final class RequestNumbers {

  /** Most requests of a lease that wait at the cluster at the same time; the caller counts them. */
  public static final int MAX_WAITS = 256;

  /** Most requests under way that are answered at once: enough to keep a cluster busy. */
  static final int WINDOW = 128;

  /** A request that waits while so many numbers are given out is asked to take a fresh one. */
  static final int RENUMBER_SPAN = 512;

  /**
   * How many numbers, from the lowest outstanding one on, new requests may use. The cluster
   * remembers 1 024. The rest is for requests that continue under a fresh number: each of the 256
   * that may wait does so at most once while the lowest number stays the same, for it then is 512
   * or more above it, and would be asked again only beyond 1 024.
   */
  static final int MAX_SPAN = 1_024 - MAX_WAITS;

  /**
   * @param renumber null for a request that is answered at once
   */
  private record Turn(Consumer<RequestId> send, Runnable renumber) {

    boolean waits() {
      return renumber != null;
    }
  }

  private record Numbered(RequestId id, Runnable overtaken) {}

  private final TreeMap<Long, Turn> outstanding = new TreeMap<>();
  private final Queue<Turn> queue = new ArrayDeque<>();

  /**
   * A closed client fails what is sent at once, which makes room for the next: in turn, not deeper.
   */
  private final SerialExecutor turns = new SerialExecutor(Runnable::run);

  private long last;
  private int answeredAtOnce;

  /**
   * Numbers and sends a request that is answered at once.
   *
   * @param send must not throw
   */
  public void take(Consumer<RequestId> send) {
    take(new Turn(send, null));
  }

  /**
   * Numbers and sends a request that may wait at the cluster.
   *
   * @param send must not throw
   * @param renumber called once if the request should continue under a {@linkplain #renumber fresh
   *     number}; on the thread of another request, so it must not block
   */
  public void takeToWait(Consumer<RequestId> send, Runnable renumber) {
    take(new Turn(send, renumber));
  }

  private void take(Turn turn) {
    Runnable ready;
    synchronized (this) {
      boolean first = queue.isEmpty();
      queue.add(turn);
      ready = first ? admit() : null;
    }
    if (ready != null) {
      ready.run();
    }
  }

  /** A fresh number for a request that was asked to take one. */
  public RequestId renumber(Runnable renumber) {
    Numbered numbered;
    synchronized (this) {
      numbered = number(new Turn(id -> {}, renumber));
    }
    numbered.overtaken.run();
    return numbered.id;
  }

  /** Takes note that nobody will ask for the outcome of this request again. May be repeated. */
  public void answered(RequestId id) {
    synchronized (this) {
      Turn turn = outstanding.remove(id.getNumber());
      if (turn != null && !turn.waits()) {
        answeredAtOnce--;
      }
    }
    for (Runnable ready = admit(); ready != null; ready = admit()) {
      turns.execute(ready);
    }
  }

  /** Numbers the next in the queue if there is room for it; what is left to do is to send it. */
  private synchronized Runnable admit() {
    Turn turn = queue.peek();
    if (turn == null || !hasRoom(turn)) {
      return null;
    }
    queue.remove();
    Numbered numbered = number(turn);
    return () -> {
      numbered.overtaken.run();
      turn.send.accept(numbered.id);
    };
  }

  private boolean hasRoom(Turn turn) {
    boolean near = outstanding.isEmpty() || last + 1 - outstanding.firstKey() < MAX_SPAN;
    return near && (turn.waits() || answeredAtOnce < WINDOW);
  }

  private Numbered number(Turn turn) {
    last++;
    outstanding.put(last, turn);
    if (!turn.waits()) {
      answeredAtOnce++;
    }
    Turn overtaken = outstanding.get(last - RENUMBER_SPAN);
    RequestId id =
        RequestId.newBuilder().setNumber(last).setAcknowledgedBelow(outstanding.firstKey()).build();
    return new Numbered(id, overtaken != null && overtaken.waits() ? overtaken.renumber : () -> {});
  }
}
