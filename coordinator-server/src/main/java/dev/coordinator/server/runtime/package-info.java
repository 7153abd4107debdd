// SPDX-License-Identifier: Apache-2.0
/**
 * One member at work. Callers come in through {@code CoordinatorNode}, everything else through the
 * {@code Mailbox}; {@code NodeLoop} turns it all round by round, and {@code NodeThread} turns the
 * loop. Nothing that the loop owns is touched by another thread.
 */
package dev.coordinator.server.runtime;
