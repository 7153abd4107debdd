// SPDX-License-Identifier: Apache-2.0
/**
 * Classes that break the architecture's rules on purpose, in packages named like the server's, so
 * that a test can see that each rule catches what it is for.
 */
package dev.coordinator.broken;
