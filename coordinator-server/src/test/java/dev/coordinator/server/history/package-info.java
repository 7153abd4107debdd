// SPDX-License-Identifier: Apache-2.0

/**
 * Histories of what clients did to locks, and a check whether they are linearizable: whether each
 * operation can have taken effect at one moment between its start and its end, so that all of them
 * in that order are what one correct lock would have done (Herlihy and Wing).
 *
 * <p>Who drives clients records into a {@link dev.coordinator.server.history.History} and asks
 * {@link dev.coordinator.server.history.LinearizabilityChecker#violation} at the end:
 *
 * <pre>{@code
 * History history = new History(System::nanoTime);      // simulated: new History(schedule::nowNanos)
 *
 * // A lease. Its name here is free, but must be unique; the id that the server gave will do.
 * long sentNanos = history.nowNanos();                  // before the request leaves
 * ...                                                   // granted, or renewed and told to be alive
 * history.leaseAlive(lease, sentNanos, ttlNanos);       // the TTL less what clocks may drift
 *
 * // An operation: begun before the first attempt is sent, ended when the caller knows.
 * History.Call call = history.acquire(client, lock, lease, owner);
 * call.granted(token);                                  // or one of the other endings,
 *                                                       // or none at all: the outcome is unknown
 * // A lease that the client gives up, or learns to be gone.
 * history.leaseRevoked(lease);                          // before the request leaves
 * history.leaseEnded(lease);                            // revoked, not found, not alive, ended
 *
 * Optional<String> violation = LinearizabilityChecker.violation(history);
 * }</pre>
 *
 * <p>Rules for recorders:
 *
 * <ul>
 *   <li>A request that is repeated with the same number (or nonce) is <em>one</em> operation, from
 *       its first attempt to the first answer that was believed. An answer {@code WAIT_CANCELLED}
 *       to an attempt whose place a later attempt took is no answer.
 *   <li>An operation is left open if any attempt at it may still, or may have, taken effect. Only
 *       if none did, and none will, it has {@link
 *       dev.coordinator.server.history.History.Call#failed failed}: for example a wait that was
 *       answered with {@code LEASE_ENDED} or {@code LEASE_NOT_FOUND} at its first attempt, or one
 *       that was refused before it was proposed. When in doubt, leave it open: that hides mistakes,
 *       but makes up none.
 *   <li>An answer that the lease is gone is told twice: the operation fails or stays open, and
 *       {@code leaseEnded} says what was learnt of the lease.
 *   <li>Owners are best unique for each acquisition. Then a read that names a holder tells which of
 *       several acquisitions with unknown outcomes was granted, and the check is faster and
 *       sharper.
 *   <li>Stale reads do not belong into a history.
 * </ul>
 */
package dev.coordinator.server.history;
