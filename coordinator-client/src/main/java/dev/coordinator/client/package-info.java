// SPDX-License-Identifier: Apache-2.0
/**
 * The Java SDK: leases, locks, elections and watches, with a local view of their validity.
 *
 * <p>A first lock:
 *
 * <pre>{@code
 * try (CoordinatorClient client = CoordinatorClient.connect("localhost:7420");
 *     Session session = client.newSession(Duration.ofSeconds(10));
 *     HeldLock held = session.lock("orders/settlement").acquire()) {
 *   held.onLost(reason -> worker.stop());
 *   worker.run(held.token());
 * }
 * }</pre>
 *
 * <p>The token is larger than that of every earlier grant. Pass it to what the worker writes to and
 * have smaller ones refused there ({@link dev.coordinator.client.FencingGuard}): no check in the
 * worker can outlast a pause of its process.
 *
 * <p>Leading, for as long as it lasts, and again after every loss:
 *
 * <pre>{@code
 * LeaderElection election =
 *     LeaderElection.builder(client, "orders/leader")
 *         .ttl(Duration.ofSeconds(5))
 *         .onElected(leadership -> scheduler.runUntilInterrupted(leadership.token()))
 *         .start();
 * }</pre>
 */
package dev.coordinator.client;
