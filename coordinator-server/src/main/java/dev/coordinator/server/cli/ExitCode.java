// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

/** The exit codes of {@code coordinator}, which scripts may rely on. */
public final class ExitCode {

  public static final int OK = 0;

  /** The operation was carried out and failed, or its result says so. */
  public static final int FAILED = 1;

  /** The command line or the configuration is wrong. Nothing was done. */
  public static final int USAGE = 2;

  /** The lock was not free, or did not become free in time. */
  public static final int NOT_ACQUIRED = 3;

  /** The lock was lost while the command ran. */
  public static final int LOCK_LOST = 4;

  /** No member answered, or the members have no leader. */
  public static final int UNAVAILABLE = 5;

  /** As in shells: the command to run under a lock cannot be run. */
  public static final int COMMAND_NOT_FOUND = 127;

  /** What every help text says about them. */
  static final String[] HELP = {
    "0:The command did what it was asked to.",
    "1:It failed; the reason is on stderr.",
    "2:The command line or the configuration is wrong; nothing was done.",
    "3:The lock was not free, or did not become free in time.",
    "4:The lock was lost while the command ran.",
    "5:No member answered in time, or the cluster has no leader."
  };

  private ExitCode() {}
}
