// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

import dev.coordinator.broken.ports.ImportsWire;

public record ImportsPorts(ImportsWire upward) {}
