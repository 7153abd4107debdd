// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.Map;

/** No member of the cluster answered the call in time, though it was retried where that is safe. */
public final class UnavailableException extends CoordinatorException {

  private static final long serialVersionUID = 1L;

  private final boolean outcomeKnown;

  /** Makes an exception. */
  public UnavailableException(
      Reason reason, String message, boolean outcomeKnown, Map<String, String> details) {
    super(reason, message, details, null);
    this.outcomeKnown = outcomeKnown;
  }

  /** True if the call certainly had no effect; false if it may or may not have taken effect. */
  public boolean outcomeKnown() {
    return outcomeKnown;
  }
}
