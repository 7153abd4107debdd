// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.ports;

import dev.coordinator.broken.wire.ImportsRuntime;

public record ImportsWire(ImportsRuntime upward) {}
