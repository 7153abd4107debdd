// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

/** Numbers in names of files, with leading zeros so that the names sort by them. */
public final class PaddedNumber {

  private PaddedNumber() {}

  /**
   * @param number not negative, and of no more than {@code digits} digits
   */
  public static String of(long number, int digits) {
    String text = Long.toString(number);
    return "0".repeat(digits - text.length()) + text;
  }
}
