// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * Why a member does not do what an operator asks for.
 *
 * @param why for people: the rule, and what stands against it
 */
public record Refusal(Kind kind, String why) {

  /** What is to be done about it. */
  public enum Kind {
    /** Another member leads: ask that one. */
    NOT_LEADER,
    /** It may be granted later: something else is under way, or somebody has to catch up. */
    NOT_NOW,
    /** There is nothing to do: it is so already. */
    ALREADY,
    /** It does not fit the configuration, and never will. */
    IMPOSSIBLE
  }
}
