// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ClusterClockTest {

  private final ClusterClock clock = new ClusterClock(1_000);

  @Test
  @DisplayName("A leader resumes at the last stamp of its log and counts from there")
  void resumes() {
    clock.seen(900);
    clock.start(3, 500, 10_000);
    assertEquals(500, clock.at(10_000));
    assertEquals(700, clock.at(10_200));
  }

  @Test
  @DisplayName("Time stands still without a leader")
  void standsStill() {
    clock.seen(500);
    assertEquals(500, clock.at(99_000));
    clock.start(3, 500, 99_000);
    clock.advance(99_100);
    clock.stop(4);
    assertEquals(600, clock.at(200_000));
  }

  @Test
  @DisplayName("A leader goes on where the one before it was heard last, if it ends that one's log")
  void goesOn() {
    clock.heard(3, 800);
    clock.heard(3, 700);
    clock.start(3, 500, 10_000);
    assertEquals(800, clock.at(10_000));
  }

  @Test
  @DisplayName("What an older leader told does not count against the entries of a newer one")
  void forgetsTheDeposed() {
    clock.heard(3, 800);
    clock.start(4, 500, 10_000);
    assertEquals(500, clock.at(10_000));
  }

  @Test
  @DisplayName("What was counted in vain does not count once another has led")
  void forgetsVainTime() {
    clock.start(3, 500, 0);
    clock.advance(400);
    clock.stop(4);
    clock.start(5, 550, 1_000);
    assertEquals(550, clock.at(1_000));
  }

  @Test
  @DisplayName("Of a pause an election timeout counts at most")
  void pause() {
    clock.start(0, 0, 0);
    clock.advance(900);
    clock.advance(60_900);
    assertEquals(1_900, clock.at(60_900));
    assertEquals(1_950, clock.at(60_950));
  }

  @Test
  @DisplayName("It does not fall with a clock that runs backwards")
  void neverFalls() {
    clock.start(0, 0, 0);
    clock.advance(900);
    assertEquals(900, clock.at(100));
    clock.advance(100);
    assertEquals(900, clock.at(900), "what was counted is not counted again");
    assertEquals(1_000, clock.at(1_000));
  }
}
