// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/**
 * Whether a fencing token is that of the present holder.
 *
 * @param currentToken the present holder's token; 0 if the lock is free
 */
public record TokenCheck(boolean valid, long currentToken) {}
