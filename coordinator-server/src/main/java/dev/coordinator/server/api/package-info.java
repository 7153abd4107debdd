// SPDX-License-Identifier: Apache-2.0
/**
 * The services that clients call. Each checks its request, hands a command or a query to the node
 * and answers when that is done. Nothing here blocks, so everything runs on gRPC's own threads.
 */
package dev.coordinator.server.api;
