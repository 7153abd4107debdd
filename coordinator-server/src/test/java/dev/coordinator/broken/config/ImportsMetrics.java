// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.config;

import dev.coordinator.broken.metrics.ImportsRaft;

public record ImportsMetrics(ImportsRaft upward) {}
