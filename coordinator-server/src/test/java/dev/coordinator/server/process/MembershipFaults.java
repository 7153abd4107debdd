// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.TransferLeadershipRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Leadership that is handed over, and members that are replaced. */
final class MembershipFaults {

  private static final long CALL_LIMIT_S = 2;

  private MembershipFaults() {}

  static List<FaultKind> kinds() {
    return List.of(
        FaultKind.ofProcess(
            "hand-over-again-and-again", Set.of(), MembershipFaults::handOverAgainAndAgain),
        new FaultKind(
            "replace-member",
            FaultKind.Part.DISK,
            Set.of(),
            3,
            (testbed, draw) -> testbed.replace(draw.host(testbed))));
  }

  private static void handOverAgainAndAgain(Testbed testbed, Draw draw)
      throws InterruptedException, IOException {
    int times = draw.between(2, 15);
    for (int i = 0; i < times; i++) {
      try {
        ClusterServiceGrpc.newBlockingStub(testbed.leader().channel())
            .withDeadlineAfter(CALL_LIMIT_S, TimeUnit.SECONDS)
            .transferLeadership(
                TransferLeadershipRequest.newBuilder()
                    .setMemberId(draw.one(testbed.hosts()).memberId())
                    .build());
      } catch (StatusRuntimeException refused) {
        // Other faults may make it impossible.
        draw.last(100, 500);
      }
      draw.last(50, 500);
    }
  }
}
