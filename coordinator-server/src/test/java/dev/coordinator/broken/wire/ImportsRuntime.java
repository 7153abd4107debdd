// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.wire;

import dev.coordinator.broken.runtime.ImportsStorage;

public record ImportsRuntime(ImportsStorage upward) {}
