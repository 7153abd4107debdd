// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RaftLogTest {

  @Test
  @DisplayName("What is committed at once after a restart is handed out in portions")
  void portions() {
    List<Entry> restored = new ArrayList<>();
    for (int index = 1; index <= 10_000; index++) {
      restored.add(Entry.noOp(index, 1, 0));
    }
    RaftLog log = new RaftLog(RestoredState.ofLog(Membership.NONE, HardState.INITIAL, restored));
    log.commitTo(10_000);

    List<Integer> portions = new ArrayList<>();
    List<Entry> handedOut = new ArrayList<>();
    while (log.hasMoreToHandOut()) {
      List<Entry> portion = new ArrayList<>();
      log.handOutCommitted(portion);
      assertFalse(portion.isEmpty());
      portions.add(portion.size());
      handedOut.addAll(portion);
    }

    assertTrue(portions.stream().allMatch(size -> size <= 4_096), portions::toString);
    assertEquals(restored, handedOut);
  }
}
