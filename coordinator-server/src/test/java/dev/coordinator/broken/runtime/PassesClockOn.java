// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.runtime;

import java.util.function.LongSupplier;

final class PassesClockOn {
  LongSupplier clock() {
    return System::currentTimeMillis;
  }
}
