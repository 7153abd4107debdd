// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import ch.qos.logback.classic.LoggerContext;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * The log of this program, from its beginning to its end. Leads into it what gRPC writes to
 * java.util.logging, where logback.xml silences what callers could fill it with.
 */
public final class Logging {

  /** Held here, for java.util.logging forgets the level of a logger that nobody holds. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private Logging() {}

  /** To be called once, by a process that runs members. */
  public static void install() {
    if (!SLF4JBridgeHandler.isInstalled()) {
      SLF4JBridgeHandler.removeHandlersForRootLogger();
      SLF4JBridgeHandler.install();
    }
    GRPC.setLevel(Level.WARNING);
  }

  /**
   * Writes what waits to be written; nothing is logged after that. To be called last: a hook of the
   * logging library would end it while members still have something to say.
   */
  public static void end() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.stop();
    }
  }
}
