// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.runtime;

import dev.coordinator.broken.storage.ImportsTransport;

public record ImportsStorage(ImportsTransport upward) {}
