// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.storage;

import dev.coordinator.broken.transport.ImportsApi;

public record ImportsTransport(ImportsApi upward) {}
