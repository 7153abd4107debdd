// SPDX-License-Identifier: Apache-2.0
/**
 * What is counted and timed, one class for each concern. A leaf: it knows numbers and names, but
 * nothing of those who report them.
 */
package dev.coordinator.server.metrics;
