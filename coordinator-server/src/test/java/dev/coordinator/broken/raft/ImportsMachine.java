// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.raft;

import dev.coordinator.broken.machine.ImportsPorts;

public record ImportsMachine(ImportsPorts upward) {}
