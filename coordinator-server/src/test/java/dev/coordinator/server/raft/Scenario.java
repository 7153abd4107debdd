// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshot;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshotReply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * A script that a {@link VirtualCluster} plays, and the story that comes of it. Messages travel for
 * 10 ms, disks write for 5 ms, and member n holds its elections 1000 + 200 (n - 1) ms after the
 * last news, unless a command says otherwise. The commands:
 *
 * <pre>
 * cluster N               makes members 1 to N; they start with the first command of the third group
 * cluster N batch B       the same, with at most B entries in a message; also tail T, so many entries
 *                         stay before the end of a snapshot (0), and chunk C, the most bytes in a
 *                         part of a snapshot (16)
 *
 * cluster N disks         the same, and members tell which disk they have, so that it gets recorded
 *
 * log N T T T             gives a member that has not started a log with entries of these terms
 * term N T                sets the term that it remembers
 * timeout N 1500ms        sets its election timeout, at any time
 * disk N 300ms            sets how long its disk takes, at any time
 * snapshot disk N 300ms   sets how long it takes to store a snapshot or a part of one, at any time
 *
 * elect N                 runs until N leads; nobody else holds elections meanwhile
 * given leader N          the same, and 100 ms more, without telling how
 * propose N TEXT...       proposes commands on N, all at once
 * read N rID...           asks N for safe reads, all at once
 * snapshot N              N takes a snapshot
 * join N                  starts a member without a configuration, which waits to be added
 * add L N...              asks L to add learners
 * promote L N...          asks L to make learners voters
 * remove L N...           asks L to remove members
 * replace L N M           asks L to remove N and make learner M a voter
 * transfer L N            asks L to hand over to N, or to the best
 * wipe N                  stops a member and takes its disk away; restart N starts it with an empty one
 * run 500ms               lets time pass
 * crash N, restart N      stops a member; writes on their way to its disk are lost
 * pause N, resume N       holds a member back; what arrives meanwhile waits
 * disconnect N M          tells N that its connection to M broke
 * partition 1 | 2 3       lets only members of a common group talk to each other
 * cut N M                 loses what N sends to M
 * lose N M                loses the next entries that N sends to M
 * lose answer N M         loses the next answer to entries that N sends to M
 * lose chunk N M          loses the next part of a snapshot that N sends to M
 * lose installed N M      loses the next answer of N that it needs no more of a snapshot
 * echo chunk N M 900ms    the next part of a snapshot that N sends to M arrives again so much later
 * heal                    ends partitions and cuts
 * logs, status, members   tell the state of every member
 * </pre>
 */
final class Scenario {

  private static final long NETWORK_MS = 10;
  private static final long TIMEOUT_MS = 1_000;
  private static final Set<String> QUESTIONS = Set.of("logs", "status", "members");

  /** Stands for chance: draws what the script says. */
  private static final class Timeouts implements RandomGenerator {
    private final long jitterMs;
    private long timeoutMs;

    Timeouts(long member) {
      timeoutMs = TIMEOUT_MS + 200 * (member - 1);
      jitterMs = 5 * (member - 1);
    }

    @Override
    public long nextLong(long bound) {
      boolean election = bound == TIMEOUT_MS;
      return Math.min(election ? timeoutMs - bound : jitterMs, bound - 1);
    }

    @Override
    public long nextLong() {
      throw new UnsupportedOperationException("only bounded numbers are drawn");
    }
  }

  /** A part of a snapshot that arrives twice. */
  private record Echo(NodeId from, NodeId to, long laterMs) {}

  private final StringBuilder out = new StringBuilder();
  private final Map<Long, Timeouts> timeouts = new HashMap<>();
  private final List<Predicate<RaftMessage>> losses = new ArrayList<>();
  private final List<Echo> echoes = new ArrayList<>();
  private final Set<String> cuts = new HashSet<>();
  private List<Set<Long>> groups = List.of();
  private VirtualCluster cluster;
  private boolean started;

  /** Plays the script and returns the story. */
  static String play(String script) {
    Scenario scenario = new Scenario();
    for (String line : script.split("\n")) {
      if (!line.isBlank() && !line.startsWith("#")) {
        scenario.command(line.strip());
      }
    }
    return scenario.out.toString();
  }

  private void command(String line) {
    String[] words = line.split(" +");
    switch (words[0]) {
      case "cluster" -> cluster(words);
      case "log" -> log(node(words[1]), Arrays.copyOfRange(words, 2, words.length));
      case "term" ->
          node(words[1]).disk.hardState = new HardState(Long.parseLong(words[2]), NodeId.NONE);
      case "timeout" -> timeouts.get(Long.parseLong(words[1])).timeoutMs = ms(words[2]);
      case "disk" -> node(words[1]).diskMs = ms(words[2]);
      default -> {
        start();
        if (!QUESTIONS.contains(words[0])) {
          Story.tell(out, cluster.nowMs(), "-", line);
        }
        event(line, words);
      }
    }
  }

  private void event(String line, String[] words) {
    switch (words[0]) {
      case "elect" -> elect(node(words[1]));
      case "given" -> {
        int mark = out.length();
        elect(node(words[2]));
        cluster.run(100);
        out.setLength(mark);
      }
      case "propose" -> propose(node(words[1]), Arrays.copyOfRange(words, 2, words.length));
      case "read" -> read(node(words[1]), Arrays.copyOfRange(words, 2, words.length));
      case "snapshot" -> {
        if (words[1].equals("disk")) {
          node(words[2]).snapshotDiskMs = ms(words[3]);
        } else {
          node(words[1]).takeSnapshot();
        }
      }
      case "join" -> cluster.join(Long.parseLong(words[1]));
      case "add" -> change(words, new MembershipChange(infos(words), List.of(), List.of()));
      case "promote" -> change(words, new MembershipChange(List.of(), ids(words), List.of()));
      case "remove" -> change(words, new MembershipChange(List.of(), List.of(), ids(words)));
      case "replace" ->
          change(words, MembershipChange.replace(ids(words).get(0), ids(words).get(1)));
      case "transfer" -> transfer(words);
      case "wipe" -> node(words[1]).wipe();
      case "members" -> cluster.nodes().forEach(this::tellMembers);
      case "run" -> cluster.run(ms(words[1]));
      case "crash" -> node(words[1]).crash(0);
      case "restart" -> node(words[1]).start();
      case "pause" -> node(words[1]).pause();
      case "resume" -> node(words[1]).resume();
      case "disconnect" -> cluster.disconnect(node(words[1]), node(words[2]).id);
      case "partition" -> partition(line.substring("partition ".length()));
      case "cut" -> cuts.add(words[1] + ">" + words[2]);
      case "lose" -> lose(words);
      case "echo" -> echoes.add(new Echo(node(words[2]).id, node(words[3]).id, ms(words[4])));
      case "heal" -> {
        groups = List.of();
        cuts.clear();
      }
      case "logs" -> cluster.nodes().forEach(this::tellLog);
      case "status" -> cluster.nodes().forEach(this::tellStatus);
      default -> throw new IllegalArgumentException("unknown command: " + line);
    }
  }

  private void cluster(String[] words) {
    int batch = option(words, "batch", 64);
    int tail = option(words, "tail", 0);
    cluster =
        new VirtualCluster(
            Integer.parseInt(words[1]),
            new RaftConfig(TIMEOUT_MS, 100, 20, 1 << 20, batch, 4, 3, tail, 4, 300),
            this::delaysMs,
            id -> timeouts.computeIfAbsent(id, Timeouts::new),
            id -> new Story(out, id));
    cluster.tellsIncarnations = Arrays.asList(words).contains("disks");
    cluster.chunkBytes = option(words, "chunk", 16);
  }

  private static int option(String[] words, String name, int otherwise) {
    int place = Arrays.asList(words).indexOf(name);
    return place < 0 ? otherwise : Integer.parseInt(words[place + 1]);
  }

  private void start() {
    if (!started) {
      started = true;
      cluster.startAll();
    }
  }

  private VirtualCluster.Node node(String id) {
    return cluster.node(Long.parseLong(id));
  }

  private static long ms(String duration) {
    if (!duration.endsWith("ms")) {
      throw new IllegalArgumentException("not in ms: " + duration);
    }
    return Long.parseLong(duration.substring(0, duration.length() - 2));
  }

  private void log(VirtualCluster.Node node, String[] terms) {
    long index = 1;
    for (String term : terms) {
      node.disk.entries.add(Entry.command(index++, Long.parseLong(term), 0, bytes("old" + term)));
    }
    long last = node.disk.entries.get(node.disk.entries.size() - 1).term();
    node.disk.hardState = new HardState(last, NodeId.NONE);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void elect(VirtualCluster.Node node) {
    for (VirtualCluster.Node other : cluster.nodes()) {
      other.ticks = other == node || other.isUp() && other.core.isLeader();
    }
    long limitMs = cluster.nowMs() + 20 * TIMEOUT_MS;
    while (!node.core.isLeader()) {
      if (cluster.nowMs() > limitMs) {
        throw new AssertionError("member " + node.id + " was not elected:\n" + out);
      }
      cluster.step();
    }
    cluster.nodes().forEach(VirtualCluster.Node::resumeTicks);
  }

  private void propose(VirtualCluster.Node node, String[] texts) {
    if (node.core.acceptsProposals()) {
      cluster.propose(node, Arrays.stream(texts).map(Scenario::bytes).toArray(byte[][]::new));
    } else {
      Story.tell(
          out, cluster.nowMs(), node.id.toString(), "cannot propose: " + whyNoProposals(node.core));
    }
  }

  private static String whyNoProposals(RaftCore core) {
    if (!core.isLeader()) {
      return "it does not lead";
    }
    return core.membership().isFounding() ? "the cluster is just beginning" : "it hands over";
  }

  private void read(VirtualCluster.Node node, String[] names) {
    cluster.read(
        node, Arrays.stream(names).mapToLong(name -> Long.parseLong(name.substring(1))).toArray());
  }

  private static List<NodeId> ids(String[] words) {
    return Arrays.stream(words).skip(2).map(word -> new NodeId(Long.parseLong(word))).toList();
  }

  private static List<MemberInfo> infos(String[] words) {
    return ids(words).stream().map(MemberInfo::of).toList();
  }

  private void change(String[] words, MembershipChange change) {
    ChangeAnswer answer = cluster.change(node(words[1]), change);
    tellRefusal(words[1], answer.refusal());
  }

  private void transfer(String[] words) {
    NodeId target = words[2].equals("best") ? NodeId.NONE : new NodeId(Long.parseLong(words[2]));
    tellRefusal(words[1], cluster.transfer(node(words[1]), target));
  }

  private void tellRefusal(String who, Refusal refusal) {
    if (refusal != null) {
      Story.tell(out, cluster.nowMs(), who, "refuses: " + refusal.why());
    }
  }

  private void partition(String text) {
    groups = new ArrayList<>();
    for (String group : text.split("\\|")) {
      Set<Long> members = new HashSet<>();
      for (String member : group.strip().split(" +")) {
        members.add(Long.parseLong(member));
      }
      groups.add(members);
    }
  }

  private void lose(String[] words) {
    String what = words.length > 3 ? words[1] : "entries";
    NodeId from = node(words[words.length - 2]).id;
    NodeId to = node(words[words.length - 1]).id;
    losses.add(
        message -> {
          boolean kind =
              switch (what) {
                case "answer" ->
                    message instanceof AppendEntriesReply reply && reply.matchIndex() > 0;
                case "chunk" -> message instanceof InstallSnapshot;
                case "installed" ->
                    message instanceof InstallSnapshotReply reply && reply.installed();
                default -> message instanceof AppendEntries append && !append.entries().isEmpty();
              };
          return kind && message.from().equals(from) && message.to().equals(to);
        });
  }

  private long[] delaysMs(RaftMessage message) {
    long from = message.from().value();
    long to = message.to().value();
    boolean together =
        groups.isEmpty()
            || groups.stream().anyMatch(group -> group.contains(from) && group.contains(to));
    for (Predicate<RaftMessage> loss : losses) {
      if (loss.test(message)) {
        losses.remove(loss);
        return new long[0];
      }
    }
    for (Echo echo : echoes) {
      if (message instanceof InstallSnapshot
          && message.from().equals(echo.from())
          && message.to().equals(echo.to())) {
        echoes.remove(echo);
        return new long[] {NETWORK_MS, NETWORK_MS + echo.laterMs()};
      }
    }
    return together && !cuts.contains(from + ">" + to) ? new long[] {NETWORK_MS} : new long[0];
  }

  private void tellLog(VirtualCluster.Node node) {
    if (!node.isUp()) {
      Story.tell(out, cluster.nowMs(), node.id.toString(), "is down");
      return;
    }
    StringBuilder text = new StringBuilder("log");
    RaftLog log = node.core.member().log;
    if (log.base().index() > 0) {
      text.append(" after ").append(log.base()).append(':');
    }
    for (long index = log.base().index() + 1; index <= log.last(); index++) {
      Entry entry = log.entry(index);
      String payload = new String(entry.payload(), StandardCharsets.UTF_8);
      text.append(' ').append(entry).append(payload.isEmpty() ? "" : ":" + payload);
    }
    text.append(", committed ").append(log.committed()).append(", durable ").append(log.durable());
    Story.tell(out, cluster.nowMs(), node.id.toString(), text.toString());
  }

  private void tellMembers(VirtualCluster.Node node) {
    String what = "is down";
    if (node.isUp()) {
      RaftStatus status = node.core.status();
      String settled = status.isMembershipSettled() ? "" : ", not settled";
      what = "goes by " + status.membership() + " of entry " + status.membershipIndex() + settled;
    }
    Story.tell(out, cluster.nowMs(), node.id.toString(), what);
  }

  private void tellStatus(VirtualCluster.Node node) {
    String what = "is down";
    if (node.isUp()) {
      RaftStatus status = node.core.status();
      what =
          "is "
              + status.role()
              + " in term "
              + status.term()
              + ", "
              + (status.leader().isNone() ? "no leader" : "leader " + status.leader());
    }
    Story.tell(out, cluster.nowMs(), node.id.toString(), what);
  }
}
