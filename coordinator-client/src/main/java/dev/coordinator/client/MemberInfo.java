// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** A member of the cluster and its addresses, each as host:port. */
public record MemberInfo(long id, String clientAddress, String peerAddress) {}
