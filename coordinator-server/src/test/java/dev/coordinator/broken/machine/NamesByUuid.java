// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

import java.util.UUID;

final class NamesByUuid {
  String name() {
    return UUID.randomUUID().toString();
  }
}
