// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

/** For whom a command writes. */
enum OutputFormat {
  /** People. */
  table,
  /** Scripts. */
  json
}
