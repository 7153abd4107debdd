// SPDX-License-Identifier: Apache-2.0
/** The Java SDK: leases, locks and elections with a local view of their validity. */
package dev.coordinator.client;
