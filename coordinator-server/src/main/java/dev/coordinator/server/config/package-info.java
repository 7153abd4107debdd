// SPDX-License-Identifier: Apache-2.0
/** The configuration of a member: its keys, where they come from and what they may be. */
package dev.coordinator.server.config;
