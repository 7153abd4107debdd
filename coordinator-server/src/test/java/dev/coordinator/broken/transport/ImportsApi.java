// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.transport;

import dev.coordinator.broken.api.ImportsRoot;

public record ImportsApi(ImportsRoot upward) {}
