// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logs of simulated members, which would drown all else: each pause and each failed disk is
 * worth a warning to a real one. Silent until closed.
 */
final class MemberLogs implements AutoCloseable {

  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.coordinator.server");
  private final Level before = logger.getLevel();

  private MemberLogs() {
    logger.setLevel(Level.OFF);
  }

  static MemberLogs silence() {
    return new MemberLogs();
  }

  @Override
  public void close() {
    logger.setLevel(before);
  }
}
