// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

import java.util.HashMap;
import java.util.Map;

final class IteratesHashMap {
  Map<String, String> locks() {
    return new HashMap<>();
  }
}
