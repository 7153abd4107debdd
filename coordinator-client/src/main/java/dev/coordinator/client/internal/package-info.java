// SPDX-License-Identifier: Apache-2.0
/**
 * The machinery of the SDK: following the leader, retrying, keeping leases alive. Not an API:
 * anything here may change without notice.
 */
package dev.coordinator.client.internal;
