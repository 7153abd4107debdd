// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.raft;

import org.slf4j.Logger;

record Logs(Logger logger) {}
