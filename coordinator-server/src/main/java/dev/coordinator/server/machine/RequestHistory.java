// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.function.Consumer;

/**
 * The numbered requests of one lease whose outcomes the client has not acknowledged, so that a
 * retry never applies twice and a late duplicate never applies at all.
 */
final class RequestHistory {

  /** Most requests remembered for a lease. */
  static final int MAX_UNACKNOWLEDGED = 1_024;

  /**
   * One remembered request: it waits, or it has an outcome.
   *
   * @param claim what it waits with; null once it has an outcome
   * @param outcome null while it waits
   */
  record Request(long number, long fingerprint, Claim.Key claim, Outcome outcome) {}

  private final OrderedMap<Long, Request> requests;
  private long acknowledgedBelow;

  RequestHistory(Generation generation) {
    requests = new OrderedMap<>(OrderedMap.Order.BY_NUMBER, generation);
  }

  private RequestHistory(RequestHistory other) {
    requests = other.requests.share();
    acknowledgedBelow = other.acknowledgedBelow;
  }

  /** As {@link OrderedMap#share}. */
  RequestHistory share() {
    return new RequestHistory(this);
  }

  /** Takes over what a state remembers of a lease; claims that wait for requests come later. */
  void restore(LeaseState stored) {
    acknowledgedBelow = stored.acknowledgedBelow();
    for (LeaseState.RequestState request : stored.requests()) {
      requests.put(
          request.number(),
          new Request(request.number(), request.fingerprint(), null, request.outcome()));
    }
  }

  /**
   * Forgets the requests below the number that {@code id} acknowledges.
   *
   * @param abandoned gets the waits that nobody waits for any more
   */
  void acknowledge(RequestId id, Consumer<Claim.Key> abandoned) {
    long below = Math.min(id.acknowledgedBelow(), id.number());
    if (below <= acknowledgedBelow) {
      return;
    }
    acknowledgedBelow = below;
    for (Request first = requests.first();
        first != null && first.number < below;
        first = requests.first()) {
      requests.remove(first.number);
      if (first.claim != null) {
        abandoned.accept(first.claim);
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

  /** Remembers that a request waits with a claim, as the first or in place of another one. */
  void waits(long number, long fingerprint, Claim.Key claim) {
    requests.put(number, new Request(number, fingerprint, claim, null));
  }

  /** Remembers the answer to a request that is new. */
  void answered(long number, long fingerprint, Outcome outcome) {
    requests.put(number, new Request(number, fingerprint, null, outcome));
  }

  /** Remembers the answer to a request that waits, unless it is forgotten already. */
  void answered(long number, Outcome outcome) {
    Request waiting = requests.get(number);
    if (waiting != null) {
      answered(number, waiting.fingerprint, outcome);
    }
  }

  long acknowledgedBelow() {
    return acknowledgedBelow;
  }

  /** In the order of their numbers. */
  OrderedMap<Long, Request> requests() {
    return requests;
  }
}
