// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;
import java.util.Objects;

/**
 * What a session is made with.
 *
 * @param ttl how long the cluster keeps the session without hearing of it
 * @param owner who the session is for, for people; empty for the client's own label
 */
public record SessionOptions(Duration ttl, String owner) {

  /** Checks that the TTL is positive. */
  public SessionOptions {
    Objects.requireNonNull(owner, "owner");
    if (ttl.isNegative() || ttl.isZero()) {
      throw new IllegalArgumentException("ttl must be positive, not " + ttl);
    }
  }

  /** A session of this TTL with the client's own label. */
  public static SessionOptions ofTtl(Duration ttl) {
    return new SessionOptions(ttl, "");
  }

  /** The same with a label of its own. */
  public SessionOptions withOwner(String label) {
    return new SessionOptions(ttl, label);
  }
}
