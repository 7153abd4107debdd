// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs a machine from text. A line is {@code INDEX TIME COMMAND}, with one of these commands:
 *
 * <pre>
 * grant ttl=10s [owner=TEXT] [nonce=TEXT]
 * revoke lease=1
 * renew leases=1,2
 * acquire NAME lease=1 | own=10s [nonce=TEXT]
 *     [owner=TEXT] [wait=5s | wait=0s | wait=forever] [metadata=TEXT] [request=1 acknowledged=1]
 * release NAME lease=1 token=2 [owner=TEXT] [request=1 acknowledged=1]
 * cancel NAME entry=3
 * pulse
 * </pre>
 *
 * {@code acquire} waits for ever unless told. The line {@code state} shows the whole state, {@code
 * next} the next deadline. {@code #} begins a comment. Indented lines are what it answered: {@code
 * ->} marks a reply with its index, {@code *} an event.
 */
final class MachineScript {

  private final CoordinatorMachine machine = new CoordinatorMachine();
  private final MachineInvariants invariants = new MachineInvariants(machine);
  private final ApplyResult result = new ApplyResult();
  private final StringBuilder transcript = new StringBuilder();

  /** The script with the answers of a fresh machine in place of those that it had. */
  static String replay(List<String> lines) {
    MachineScript script = new MachineScript();
    for (String line : lines) {
      if (!line.startsWith("  ")) {
        script.transcript.append(line).append('\n');
        script.run(line);
      }
    }
    return script.transcript.toString();
  }

  private void run(String line) {
    if (line.isBlank() || line.startsWith("#")) {
      return;
    }
    if (line.equals("state")) {
      StringBuilder state = new StringBuilder();
      machine.describe(state);
      state.toString().lines().forEach(this::answer);
      return;
    }
    if (line.equals("next")) {
      long nextMs = machine.view().nextDeadlineMs();
      answer(nextMs == Long.MAX_VALUE ? "never" : nextMs + "ms");
      return;
    }
    List<String> words = new ArrayList<>(Arrays.asList(line.split(" +")));
    long index = Long.parseLong(words.remove(0));
    long timeMs = durationMs(words.remove(0));
    result.clear();
    machine.apply(index, timeMs, command(words), result);
    result.events.forEach(event -> answer("* " + event));
    result.replies.forEach(reply -> answer("-> " + reply.index() + " " + reply.outcome()));
    invariants.check();
  }

  private void answer(String text) {
    transcript.append("  ").append(text).append('\n');
  }

  private static Command command(List<String> words) {
    String verb = words.remove(0);
    String name =
        switch (verb) {
          case "acquire", "release", "cancel" -> words.remove(0);
          default -> "";
        };
    Map<String, String> options = new TreeMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      options.put(word.substring(0, equals), word.substring(equals + 1));
    }
    Command command = command(verb, name, options);
    if (!options.isEmpty()) {
      throw new IllegalArgumentException(verb + " does not know " + options);
    }
    return command;
  }

  private static Command command(String verb, String name, Map<String, String> options) {
    return switch (verb) {
      case "grant" ->
          new Command.GrantLease(
              durationMs(options.remove("ttl")), text(options, "owner"), text(options, "nonce"));
      case "revoke" -> new Command.RevokeLease(number(options, "lease"));
      case "renew" ->
          new Command.RenewLeases(
              Arrays.stream(options.remove("leases").split(",")).map(Long::valueOf).toList());
      case "acquire" -> acquire(name, options);
      case "release" ->
          new Command.ReleaseLock(
              name,
              number(options, "lease"),
              text(options, "owner"),
              number(options, "token"),
              requestId(options));
      case "cancel" -> new Command.CancelWait(name, number(options, "entry"));
      case "pulse" -> Command.Pulse.INSTANCE;
      default -> throw new IllegalArgumentException("unknown command " + verb);
    };
  }

  private static Command acquire(String name, Map<String, String> options) {
    String ownTtl = options.remove("own");
    String wait = options.getOrDefault("wait", "forever");
    options.remove("wait");
    return new Command.AcquireLock(
        name,
        number(options, "lease"),
        ownTtl == null
            ? null
            : new Command.GrantLease(durationMs(ownTtl), "", text(options, "nonce")),
        text(options, "owner"),
        wait.equals("forever") ? Command.AcquireLock.UNLIMITED : durationMs(wait),
        text(options, "metadata"),
        requestId(options));
  }

  private static RequestId requestId(Map<String, String> options) {
    return new RequestId(number(options, "request"), number(options, "acknowledged"));
  }

  private static String text(Map<String, String> options, String key) {
    String value = options.remove(key);
    return value == null ? "" : value;
  }

  private static long number(Map<String, String> options, String key) {
    String value = options.remove(key);
    return value == null ? 0 : Long.parseLong(value);
  }

  private static long durationMs(String text) {
    return text.endsWith("ms")
        ? Long.parseLong(text.substring(0, text.length() - 2))
        : 1_000 * Long.parseLong(text.substring(0, text.length() - 1));
  }
}
