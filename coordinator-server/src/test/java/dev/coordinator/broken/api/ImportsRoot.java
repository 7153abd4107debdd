// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.api;

import dev.coordinator.broken.Root;

public record ImportsRoot(Root upward) {}
