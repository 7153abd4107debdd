// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

/** The {@code coordinator} executable. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.out.println("coordinator " + Main.class.getPackage().getImplementationVersion());
  }
}
