// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * What a message tells of its sender besides the id, so that the receiver can judge whether it may
 * speak.
 *
 * @param incarnation which data directory it runs on, 0 if that is not known
 * @param membershipIndex the entry that set the configuration it goes by, 0 if none did
 */
public record Sender(long incarnation, long membershipIndex) {

  /** One that tells nothing. */
  public static final Sender UNKNOWN = new Sender(0, 0);
}
