// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The numbered requests of one lease whose outcomes the client has not acknowledged, so that a
 * retry never applies twice and a late duplicate never applies at all.
 */
final class RequestHistory {

  /** Most requests remembered for a lease. */
  static final int MAX_UNACKNOWLEDGED = 1_024;

  /** One remembered request: it waits, or it has an outcome. */
  static final class Request {
    final long number;
    final long fingerprint;

    /** What it waits with; null once it has an outcome. */
    Claim claim;

    /** Null while it waits. */
    Outcome outcome;

    private Request(long number, long fingerprint) {
      this.number = number;
      this.fingerprint = fingerprint;
    }

    void waitsWith(Claim waiting) {
      claim = waiting;
    }

    void answered(Outcome answer) {
      claim = null;
      outcome = answer;
    }
  }

  private final TreeMap<Long, Request> requests = new TreeMap<>();
  private long acknowledgedBelow;

  /**
   * Forgets the requests below the number that {@code id} acknowledges.
   *
   * @param abandoned gets the waits that nobody waits for any more
   */
  void acknowledge(RequestId id, Consumer<Claim> abandoned) {
    long below = Math.min(id.acknowledgedBelow(), id.number());
    if (below <= acknowledgedBelow) {
      return;
    }
    acknowledgedBelow = below;
    Iterator<Request> forgotten = requests.headMap(below).values().iterator();
    while (forgotten.hasNext()) {
      Request request = forgotten.next();
      forgotten.remove();
      if (request.claim != null) {
        abandoned.accept(request.claim);
      }
    }
  }

  /** The remembered request of that number, or null. */
  Request find(long number) {
    return requests.get(number);
  }

  /** Why a request cannot go on, neither as a new one nor as a retry; null if it can. */
  Outcome refusal(long leaseId, long number, long fingerprint) {
    if (number < acknowledgedBelow) {
      return new Outcome.RequestForgotten(number, acknowledgedBelow);
    }
    Request known = requests.get(number);
    if (known != null) {
      return known.fingerprint == fingerprint ? null : new Outcome.RequestMismatch(number);
    }
    return requests.size() < MAX_UNACKNOWLEDGED
        ? null
        : new Outcome.TooManyUnacknowledged(leaseId, MAX_UNACKNOWLEDGED);
  }

  /** Remembers a request that is neither refused nor known. */
  Request begin(long number, long fingerprint) {
    Request request = new Request(number, fingerprint);
    requests.put(number, request);
    return request;
  }

  /** Takes over what a state remembers of a lease. */
  void restore(LeaseState stored) {
    acknowledgedBelow = stored.acknowledgedBelow();
    for (LeaseState.RequestState request : stored.requests()) {
      begin(request.number(), request.fingerprint()).outcome = request.outcome();
    }
  }

  long acknowledgedBelow() {
    return acknowledgedBelow;
  }

  /** In the order of their numbers. */
  Collection<Request> requests() {
    return Collections.unmodifiableCollection(requests.values());
  }
}
