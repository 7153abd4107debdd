// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * What a leader says to a {@link MembershipChange}.
 *
 * @param index the entry with which the change begins, 0 if it is refused. It is done once a
 *     configuration that is not joint is committed at this index or after it
 * @param refusal null if it has begun
 */
public record ChangeAnswer(long index, Refusal refusal) {

  static ChangeAnswer begun(long index) {
    return new ChangeAnswer(index, null);
  }

  static ChangeAnswer refused(Refusal.Kind kind, String why) {
    return new ChangeAnswer(0, new Refusal(kind, why));
  }

  public boolean isRefused() {
    return refusal != null;
  }
}
