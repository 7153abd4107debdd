// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import java.time.Duration;

/**
 * How far a call may go to get its answer.
 *
 * @param repeatable whether it may be sent again although it may have taken effect: because it is
 *     numbered, carries a nonce, or is idempotent by nature
 * @param waits whether the answer may take long, so that only silence of the member ends an attempt
 * @param budget how long to try in all; null for without limit, until it is cancelled
 */
public record CallPolicy(boolean repeatable, boolean waits, Duration budget) {

  /** A call that is answered at once and may be repeated. */
  public static CallPolicy repeatable(Duration budget) {
    return new CallPolicy(true, false, budget);
  }

  /** A call that is answered at once and must not be repeated once it may have taken effect. */
  public static CallPolicy once(Duration budget) {
    return new CallPolicy(false, false, budget);
  }

  /** A call that may be repeated and whose answer may take long. */
  public static CallPolicy waiting(Duration budget) {
    return new CallPolicy(true, true, budget);
  }
}
