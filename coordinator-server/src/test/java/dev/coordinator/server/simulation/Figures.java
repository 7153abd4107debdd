// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.EnumMap;
import java.util.Map;

/** What happened in one run or in many, in numbers. */
final class Figures {

  private final Map<FaultKind, Long> faults = new EnumMap<>(FaultKind.class);
  private long runs;
  private long simulatedMs;
  private long acknowledged;
  private long stalled;
  private long overtaken;
  private long staleWrites;
  private long reads;
  private long events;
  private long committed;
  private long leaderships;
  private long installed;
  private long messages;
  private long messagesLost;
  private long messagesRepeated;
  private long longestRecoveryMs;

  void fault(FaultKind kind) {
    faults.merge(kind, 1L, Long::sum);
  }

  void ran(long forMs) {
    runs++;
    simulatedMs += forMs;
  }

  void acknowledged() {
    acknowledged++;
  }

  /** A command of a client was held up on its way. */
  void stalled() {
    stalled++;
  }

  /** A command came after a later one for the same lock and owner. */
  void overtaken() {
    overtaken++;
  }

  /** A resource refused a client that had lost its lock without knowing it. */
  void staleWriteRefused() {
    staleWrites++;
  }

  /** The cluster served again after so much of the calm. */
  void recovered(long afterMs) {
    longestRecoveryMs = Math.max(longestRecoveryMs, afterMs);
  }

  void read() {
    reads++;
  }

  void watched() {
    events++;
  }

  void committed() {
    committed++;
  }

  void led() {
    leaderships++;
  }

  void installed() {
    installed++;
  }

  void sent() {
    messages++;
  }

  void lost() {
    messagesLost++;
  }

  void repeated() {
    messagesRepeated++;
  }

  long runs() {
    return runs;
  }

  long simulatedMs() {
    return simulatedMs;
  }

  long installedSnapshots() {
    return installed;
  }

  long commandsOvertaken() {
    return overtaken;
  }

  long staleWritesRefused() {
    return staleWrites;
  }

  /** How many faults of this kind were brought about. */
  long faults(FaultKind kind) {
    return faults.getOrDefault(kind, 0L);
  }

  void add(Figures other) {
    other.faults.forEach((kind, count) -> faults.merge(kind, count, Long::sum));
    runs += other.runs;
    simulatedMs += other.simulatedMs;
    acknowledged += other.acknowledged;
    stalled += other.stalled;
    overtaken += other.overtaken;
    staleWrites += other.staleWrites;
    reads += other.reads;
    events += other.events;
    committed += other.committed;
    leaderships += other.leaderships;
    installed += other.installed;
    messages += other.messages;
    messagesLost += other.messagesLost;
    messagesRepeated += other.messagesRepeated;
    longestRecoveryMs = Math.max(longestRecoveryMs, other.longestRecoveryMs);
  }

  @Override
  public String toString() {
    long allFaults = faults.values().stream().mapToLong(Long::longValue).sum();
    StringBuilder text = new StringBuilder();
    text.append(
        String.format("%,d runs, %,.1f simulated hours%n", runs, simulatedMs / 3_600_000.0));
    text.append(
        String.format(
            "%,d commands and %,d reads answered, %,d events seen,"
                + " %,d entries committed, %,d leaderships, %,d snapshots installed%n",
            acknowledged, reads, events, committed, leaderships, installed));
    text.append(
        String.format(
            "%,d commands held up on their way, %,d refused as overtaken;"
                + " %,d writes with a stale token refused%n",
            stalled, overtaken, staleWrites));
    text.append(
        String.format(
            "%,d messages between members, of them %,d lost and %,d repeated%n",
            messages, messagesLost, messagesRepeated));
    text.append(
        String.format(
            "%,d faults, %.0f in a simulated minute%n",
            allFaults, allFaults / Math.max(1.0, simulatedMs / 60_000.0)));
    text.append(String.format("the longest recovery in the calm took %,d ms%n", longestRecoveryMs));
    faults.forEach((kind, count) -> text.append(String.format("%,12d  %s%n", count, kind)));
    return text.toString();
  }
}
