// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;

/**
 * A lease that was granted or renewed.
 *
 * @param ttl the TTL in force. Count it from the moment the request was sent
 */
public record LeaseGrant(long id, Duration ttl) {}
