// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken;

public final class Root {}
