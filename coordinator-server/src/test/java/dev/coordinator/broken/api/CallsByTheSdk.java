// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.api;

import dev.coordinator.client.CoordinatorException;

record CallsByTheSdk(CoordinatorException failure) {}
