// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.metrics;

import java.util.concurrent.ScheduledExecutorService;

record TakesExecutor(ScheduledExecutorService executor) {}
