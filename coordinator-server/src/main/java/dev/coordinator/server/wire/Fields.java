// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.Message;

/** Refuses fields of messages that break a rule, naming the field, the rule and what was found. */
final class Fields {

  private Fields() {}

  /** Numbers above {@link Long#MAX_VALUE} arrive as negative ones. */
  static long atLeast(long minimum, String field, long value) {
    if (value < minimum) {
      throw broken(field, "is " + minimum + " to " + Long.MAX_VALUE, value);
    }
    return value;
  }

  /**
   * A place in a log: index and term are both 0 before the first entry, and neither is after it.
   */
  static void requirePosition(String field, long index, long term, long senderTerm) {
    if ((index == 0) != (term == 0)) {
      throw broken(field + "_term", "is 0 exactly if the index, " + index + ", is", term);
    }
    if (term > senderTerm) {
      throw broken(field + "_term", "is at most the sender's, " + senderTerm, term);
    }
  }

  static void require(boolean condition, String field, String rule, String found) {
    if (!condition) {
      throw new IllegalArgumentException(field + " " + rule + ", not " + found);
    }
  }

  /** A member that skipped what it does not know would go another way than the others. */
  static void requireKnownFields(Message message, String field) {
    if (!message.getUnknownFields().isEmpty()) {
      throw new IllegalArgumentException(
          field
              + " has only known fields, not number "
              + message.getUnknownFields().asMap().keySet().iterator().next());
    }
  }

  static IllegalArgumentException broken(String field, String rule, long found) {
    return new IllegalArgumentException(
        field + " " + rule + ", not " + Long.toUnsignedString(found));
  }
}
