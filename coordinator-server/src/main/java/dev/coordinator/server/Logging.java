// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * Leads what gRPC writes to java.util.logging into the log of this program, where logback.xml
 * silences what callers could fill it with.
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
}
