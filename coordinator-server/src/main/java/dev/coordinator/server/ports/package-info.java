// SPDX-License-Identifier: Apache-2.0
/**
 * What the node loop needs of the world, as small interfaces that a simulator implements as well.
 */
package dev.coordinator.server.ports;
