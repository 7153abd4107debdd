// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.Map;

/** The lock is not, or not for long enough, held any more. */
public final class LockLostException extends CoordinatorException {

  private static final long serialVersionUID = 1L;

  private final String name;
  private final long token;

  /** Makes an exception. */
  public LockLostException(String name, long token, Reason reason, String message) {
    super(reason, message, Map.of("name", name, "token", Long.toUnsignedString(token)), null);
    this.name = name;
    this.token = token;
  }

  /** The name of the lock. */
  public String name() {
    return name;
  }

  /** The fencing token that the lock was held with. */
  public long token() {
    return token;
  }
}
