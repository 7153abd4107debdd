// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.Map;

/** The lease has ended, and with it everything held and waited for on its behalf. */
public final class LeaseExpiredException extends CoordinatorException {

  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public LeaseExpiredException(Reason reason, String message, Map<String, String> details) {
    super(reason, message, details, null);
  }
}
