// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/**
 * A change in a session's life.
 *
 * @param cause what brought it about
 * @param message the same for people
 */
public record SessionEvent(Kind kind, Cause cause, String message) {

  /** What happened. */
  public enum Kind {
    /** Renewals stay unanswered; see {@link SessionState#JEOPARDY}. */
    JEOPARDY,
    /** A renewal was answered after all: the session is connected again and has lost nothing. */
    SAFE,
    /** The session has ended. The last event. */
    EXPIRED
  }

  /** Why it happened. */
  public enum Cause {
    /** No renewal was answered for too long, or this process could not run. */
    NO_ANSWER,
    /** A renewal was answered. */
    RENEWED,
    /** The cluster says that the lease has ended. */
    ENDED_BY_CLUSTER,
    /** The session was closed here. */
    CLOSED
  }
}
