// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.Table;
import dev.coordinator.server.cli.TimeSpan;
import dev.coordinator.server.cli.local.LocalCluster;
import dev.coordinator.server.cli.local.MemberProcess;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The story that the demonstration tells, and the checks that make it true. */
final class Demonstration {

  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final int SOME_LINES = 100;
  private static final long POLL_MS = 5;

  private final PrintWriter out;
  private final LocalCluster cluster;
  private final Workers workers;

  Demonstration(PrintWriter out, LocalCluster cluster, Workers workers) {
    this.out = out;
    this.cluster = cluster;
    this.workers = workers;
  }

  /** Returns whether everything held. */
  boolean run() throws InterruptedException {
    startMembers();
    startWorkers();
    killLeadingMember();
    killLeadingWorker();
    return judge();
  }

  private void startMembers() throws InterruptedException {
    say("Three members start, each a process with its own data folder, fsync on.");
    long begin = System.nanoTime();
    cluster.start();
    MemberProcess leader = cluster.awaitAll(LIMIT);
    Table table = new Table("MEMBER", "PID", "GRPC", "PROMETHEUS");
    for (MemberProcess member : cluster.members()) {
      table.row(member.id(), member.pid(), member.clientAddress(), member.metricsUrl());
    }
    show(table);
    say("After " + since(begin) + " member " + leader.id() + " leads and the others follow.");
  }

  private void startWorkers() throws InterruptedException {
    say("");
    say("Two workers compete for a leader lease; the leader appends numbered lines to a file that");
    say("refuses fencing tokens smaller than one it has seen.");
    workers.start("a");
    workers.start("b");
    FileAudit audit = awaitFile("a worker leads and works", file -> file.lines() >= SOME_LINES);
    say("Worker " + audit.lastWorker() + " leads with token " + audit.lastToken() + ".");
  }

  private void killLeadingMember() throws InterruptedException {
    say("");
    MemberProcess leader = cluster.awaitLeader(LIMIT);
    say("Member " + leader.id() + " leads the cluster: SIGKILL to process " + leader.pid() + ".");
    GrowthMeter meter = new GrowthMeter(workers.file());
    long begin = System.nanoTime();
    leader.kill();
    MemberProcess next = cluster.awaitLeader(LIMIT);
    say("  Member " + next.id() + " leads after " + since(begin) + ".");
    long linesSoFar = workers.audit().lines();
    FileAudit audit = awaitFile("work goes on", file -> file.lines() >= linesSoFar + SOME_LINES);
    say(
        "  Each line needs the cluster's word that the token still holds. The longest pause between"
            + " two lines was "
            + TimeSpan.text(TimeUnit.NANOSECONDS.toMillis(meter.stop()))
            + ".");
    say("  Worker " + audit.lastWorker() + " leads with token " + audit.lastToken() + ".");
    begin = System.nanoTime();
    leader.start();
    cluster.awaitAll(LIMIT);
    say("  Member " + leader.id() + " starts again and has caught up after " + since(begin) + ".");
  }

  private void killLeadingWorker() throws InterruptedException {
    say("");
    FileAudit before = workers.audit();
    String victim = before.lastWorker();
    say("Worker " + victim + " leads: SIGKILL to process " + workers.pid(victim) + ".");
    long begin = System.nanoTime();
    workers.kill(victim);
    FileAudit after =
        awaitFile("the other worker goes on", file -> !file.lastWorker().equals(victim));
    say(
        "  Its lease ran out; worker "
            + after.lastWorker()
            + " went on after "
            + since(begin)
            + " (the lease lives for "
            + TimeSpan.text(WorkerCommand.TTL.toMillis())
            + ") with token "
            + after.lastToken()
            + " > "
            + before.lastToken()
            + ".");
    awaitFile("work goes on", file -> file.lines() >= after.lines() + SOME_LINES);
    workers.start(victim);
  }

  private boolean judge() {
    say("");
    FileAudit audit = workers.audit();
    say(
        "The file has "
            + audit.lines()
            + " lines under "
            + audit.terms()
            + " tokens. Sequence numbers without gap or overlap, tokens that never fall, each token"
            + " of one worker:");
    audit.problems().forEach(problem -> say("  WRONG: " + problem));
    boolean held = audit.problems().isEmpty() && audit.terms() > 1;
    say(held ? "  all of it held." : "  that did NOT hold.");
    return held;
  }

  /** Leaves everything running for people to look at, until interrupted. */
  void stayUp() throws InterruptedException {
    String address = cluster.members().get(0).clientAddress();
    say("");
    say("Everything stays up until Ctrl-C. Have a look:");
    say("  deploy/bin/coordinator status --endpoints " + address);
    say("  deploy/bin/coordinator locks list --endpoints " + address);
    say("  grpcurl -plaintext " + address + " list");
    say(
        "  grpcurl -plaintext -d '{\"name\": \"my/lock\", \"ttl\": \"60s\"}' "
            + address
            + " coordinator.v1.LockService/AcquireLock");
    say("  tail -f " + workers.file());
    say("Prometheus finds metrics at:");
    cluster.members().forEach(member -> say("  " + member.metricsUrl()));
    while (true) {
      TimeUnit.MINUTES.sleep(1);
    }
  }

  private FileAudit awaitFile(String what, Predicate<FileAudit> condition)
      throws InterruptedException {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (System.nanoTime() - end < 0) {
      FileAudit audit = workers.audit();
      if (condition.test(audit)) {
        return audit;
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MS);
    }
    throw new CliException(
        ExitCode.FAILED,
        "waited " + LIMIT.toSeconds() + " s in vain until " + what + "; see " + logs());
  }

  private String logs() {
    return workers.logFile("a") + ", " + cluster.member(1).logFile();
  }

  private void show(Table table) {
    table.toString().lines().forEach(line -> say("  " + line));
  }

  private void say(String line) {
    out.println(line);
    out.flush();
  }

  private static String since(long beginNanos) {
    return TimeSpan.text(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beginNanos));
  }
}
