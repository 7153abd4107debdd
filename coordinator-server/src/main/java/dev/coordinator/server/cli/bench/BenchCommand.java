// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code coordinator bench}: how fast, and how fast again after a failure. */
@Command(
    name = "bench",
    description = {
      "Measures a cluster, and checks while measuring that the tokens of each lock strictly rise.",
      "",
      "With --start it first starts three members as processes of their own on this machine, fsync"
          + " on, data in a temporary folder, which it removes at the end. A failed call ends a"
          + " benchmark with exit code 1: one that skips failures measures something else."
    },
    subcommands = {LocksBench.class, HandoffBench.class, FailoverBench.class},
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator bench locks --start --sessions 1,16,64,256",
      "  coordinator bench handoff --start --waiters 32",
      "  coordinator bench failover --trials 20",
      ""
    })
public final class BenchCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "locks, handoff or failover is missing");
  }
}
