// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.v1.RequestId;
import java.util.TreeSet;

/**
 * The numbers of one lease's requests: they rise, and each request tells the cluster up to where
 * every earlier one has been answered.
 *
 * <p>A number stays outstanding from {@link #next} to {@link #answered}, over all attempts of its
 * request. Thread-safe.
 */
public final class RequestNumbers {

  private final TreeSet<Long> outstanding = new TreeSet<>();
  private long last;

  /** The id of the next request. */
  public synchronized RequestId next() {
    last++;
    outstanding.add(last);
    return RequestId.newBuilder().setNumber(last).setAcknowledgedBelow(outstanding.first()).build();
  }

  /** Takes note that nobody will ask for the outcome of this request again. */
  public synchronized void answered(RequestId id) {
    outstanding.remove(id.getNumber());
  }
}
