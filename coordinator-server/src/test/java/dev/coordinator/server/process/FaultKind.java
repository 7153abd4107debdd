// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A kind of fault, by name.
 *
 * @param part faults of different parts may strike at the same time
 * @param leastMembers of a cluster in which it makes sense
 */
record FaultKind(String name, Part part, Set<Need> needs, int leastMembers, Fault fault) {

  /** What a fault strikes. */
  enum Part {
    PROCESS,
    SYSTEM_CALLS,
    DISK,
    NETWORK
  }

  FaultKind {
    needs = Set.copyOf(needs);
  }

  /** All there are. */
  static List<FaultKind> all() {
    return Stream.of(
            ProcessFaults.kinds(),
            MembershipFaults.kinds(),
            SystemCallFaults.kinds(),
            DiskFaults.kinds(),
            ClockFaults.kinds(),
            NetworkFaults.kinds())
        .flatMap(List::stream)
        .toList();
  }

  /** Those that can be made with what there is. */
  static List<FaultKind> possible(Set<Need> needs, int members) {
    return all().stream()
        .filter(kind -> needs.containsAll(kind.needs()) && members >= kind.leastMembers())
        .toList();
  }

  static FaultKind ofProcess(String name, Set<Need> needs, Fault fault) {
    return new FaultKind(name, Part.PROCESS, needs, 1, fault);
  }

  static FaultKind ofSystemCalls(String name, Fault fault) {
    return new FaultKind(name, Part.SYSTEM_CALLS, Set.of(Need.STRACE), 1, fault);
  }

  static FaultKind ofDisk(String name, Set<Need> needs, Fault fault) {
    return new FaultKind(name, Part.DISK, needs, 1, fault);
  }

  static FaultKind ofNetwork(String name, int leastMembers, Fault fault) {
    return new FaultKind(name, Part.NETWORK, Set.of(Need.NETWORK), leastMembers, fault);
  }
}
