// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Comparator;

/**
 * The order of strings by their bytes in UTF-8, which is the order of their code points.
 *
 * <p>{@link String#compareTo} goes by UTF-16 instead, where the surrogates that encode the largest
 * code points come before the characters from U+E000 on.
 */
final class Utf8Order implements Comparator<String>, OrderedMap.Order<String> {

  static final Utf8Order INSTANCE = new Utf8Order();

  private static final int RANKED = 3;

  private Utf8Order() {}

  /** Made of the first characters; three of them, so that it is not negative. */
  @Override
  public long rank(String text) {
    long rank = 0;
    for (int i = 0; i < RANKED; i++) {
      rank = rank << Character.SIZE | (i < text.length() ? weight(text.charAt(i)) : 0);
    }
    return rank;
  }

  /** Surrogates encode the largest code points, so they come behind all others. */
  private static int weight(char unit) {
    return Character.isSurrogate(unit) ? unit + 0x2000 : unit < 0xe000 ? unit : unit - 0x800;
  }

  @Override
  public int compareEquallyRanked(String left, String right) {
    return compare(left, right);
  }

  @Override
  public int compare(String left, String right) {
    int shared = Math.min(left.length(), right.length());
    for (int i = 0; i < shared; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        return weight(a) - weight(b);
      }
    }
    return Integer.compare(left.length(), right.length());
  }
}
