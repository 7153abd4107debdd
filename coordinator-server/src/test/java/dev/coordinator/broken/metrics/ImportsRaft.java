// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.metrics;

import dev.coordinator.broken.raft.ImportsMachine;

public record ImportsRaft(ImportsMachine upward) {}
