// SPDX-License-Identifier: Apache-2.0
/** The ways between members: Raft messages on the peer port, clients' calls on to the leader. */
package dev.coordinator.server.transport;
