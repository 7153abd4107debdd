// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.cli.CoordinatorCommand;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.Set;

/** The {@code coordinator} executable. */
public final class Main {

  /** Read by logback.xml. */
  private static final String LOG_LEVEL = "coordinator.log.level";

  /** The commands whose log people read. The others say on stderr themselves what went wrong. */
  private static final Set<String> MEMBERS = Set.of("serve", "dev");

  /** What the terminal expects; file contents are always UTF-8. */
  private static final Charset CONSOLE =
      Charset.forName(
          System.getProperty("stdout.encoding", System.getProperty("native.encoding", "UTF-8")));

  private Main() {}

  public static void main(String[] args) {
    boolean member = args.length > 0 && MEMBERS.contains(args[0]);
    if (!member && System.getProperty(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "ERROR");
    }
    PrintWriter out = new PrintWriter(System.out, true, CONSOLE);
    PrintWriter err = new PrintWriter(System.err, true, CONSOLE);
    int exitCode = CoordinatorCommand.run(out, err, args);
    Logging.end();
    System.exit(exitCode);
  }
}
