// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.function.Consumer;

/**
 * The numbered requests of one lease whose outcomes the client has not acknowledged, so that a
 * retry never applies twice and a late duplicate never applies at all.
 *
 * <p>What a client gave up may still be on its way while a smaller number is not answered yet, so
 * that it cannot be acknowledged. Requests of one owner for one lock therefore apply in the order
 * of their numbers or not at all: once a request that clears up after another one has been applied,
 * nothing comes of the other any more. The one that overtakes is always remembered here, since its
 * number is the larger one.
 */
final class RequestHistory {

  /** Most requests remembered for a lease. */
  static final int MAX_UNACKNOWLEDGED = 1_024;

  /**
   * One remembered request.
   *
   * @param key the lock and owner that it is about; what it waits with while it waits
   * @param outcome null while it waits
   */
  record Request(long number, long fingerprint, Claim.Key key, Outcome outcome) {

    boolean isWaiting() {
      return outcome == null;
    }
  }

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

  /** Takes over what a state remembers of a lease. */
  void restore(LeaseState stored) {
    acknowledgedBelow = stored.acknowledgedBelow();
    for (LeaseState.RequestState request : stored.requests()) {
      remember(
          request.number(),
          request.fingerprint(),
          new Claim.Key(request.lockName(), request.owner()),
          request.outcome());
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
      if (first.isWaiting()) {
        abandoned.accept(first.key);
      }
    }
  }

  /** The remembered request of that number, or null. */
  Request find(long number) {
    return requests.get(number);
  }

  /** Why a request cannot go on, neither as a new one nor as a retry; null if it can. */
  Outcome refusal(long leaseId, long number, long fingerprint, Claim.Key key) {
    if (number < acknowledgedBelow) {
      return new Outcome.RequestForgotten(number, acknowledgedBelow);
    }
    Request known = requests.get(number);
    if (known != null) {
      return known.fingerprint == fingerprint ? null : new Outcome.RequestMismatch(number);
    }
    for (Request later : requests.valuesAfter(number)) {
      if (later.key.equals(key)) {
        return new Outcome.RequestOvertaken(number, later.number);
      }
    }
    return requests.size() < MAX_UNACKNOWLEDGED
        ? null
        : new Outcome.TooManyUnacknowledged(leaseId, MAX_UNACKNOWLEDGED);
  }

  /**
   * Remembers a request that is new.
   *
   * @param outcome null if it waits
   */
  void remember(long number, long fingerprint, Claim.Key key, Outcome outcome) {
    requests.put(number, new Request(number, fingerprint, key, outcome));
  }

  /** Remembers the answer to a request that waits, unless it is forgotten already. */
  void answered(long number, Outcome outcome) {
    Request waiting = requests.get(number);
    if (waiting != null) {
      remember(number, waiting.fingerprint, waiting.key, outcome);
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
