// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

import java.util.Set;

final class IteratesSaltedSet {
  Set<String> locks() {
    return Set.of("a", "b");
  }
}
