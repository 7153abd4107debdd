// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.v1.RequestId;
import java.util.Map;
import java.util.TreeMap;

/**
 * The numbers of one lease's requests: they rise, and each request tells the cluster up to where
 * every earlier one has been answered.
 *
 * <p>A number stays outstanding from {@link #next} to {@link #answered}, over all attempts of its
 * request. The cluster remembers the outcomes of a lease from the lowest outstanding number on, but
 * not without limit. So a request that waits long, while many others come and go, is asked to
 * continue under a fresh number.
 *
 * <p>Thread-safe.
 */
public final class RequestNumbers {

  /** Half of what the cluster remembers for a lease. */
  static final int MAX_SPAN = 512;

  private final TreeMap<Long, Runnable> outstanding = new TreeMap<>();
  private long last;

  /** The id of the next request, which is answered at once. */
  public RequestId next() {
    return next(() -> {});
  }

  /**
   * The id of the next request.
   *
   * @param renumber called once if the request should continue under a fresh number; on the thread
   *     of another request, so it must not block
   */
  public RequestId next(Runnable renumber) {
    RequestId id;
    Runnable overtaken = null;
    synchronized (this) {
      last++;
      outstanding.put(last, renumber);
      Map.Entry<Long, Runnable> lowest = outstanding.firstEntry();
      if (last - lowest.getKey() >= MAX_SPAN) {
        overtaken = outstanding.put(lowest.getKey(), () -> {});
      }
      id = RequestId.newBuilder().setNumber(last).setAcknowledgedBelow(lowest.getKey()).build();
    }
    if (overtaken != null) {
      overtaken.run();
    }
    return id;
  }

  /** Takes note that nobody will ask for the outcome of this request again. */
  public synchronized void answered(RequestId id) {
    outstanding.remove(id.getNumber());
  }
}
