// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Comparator;

/**
 * The order of strings by their bytes in UTF-8, which is the order of their code points.
 *
 * <p>{@link String#compareTo} goes by UTF-16 instead, where the surrogates that encode the largest
 * code points come before the characters from U+E000 on.
 */
final class Utf8Order implements Comparator<String> {

  static final Utf8Order INSTANCE = new Utf8Order();

  private Utf8Order() {}

  @Override
  public int compare(String left, String right) {
    int shared = Math.min(left.length(), right.length());
    for (int i = 0; i < shared; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        boolean aIsSurrogate = Character.isSurrogate(a);
        return aIsSurrogate == Character.isSurrogate(b)
            ? Character.compare(a, b)
            : (aIsSurrogate ? 1 : -1);
      }
    }
    return Integer.compare(left.length(), right.length());
  }
}
