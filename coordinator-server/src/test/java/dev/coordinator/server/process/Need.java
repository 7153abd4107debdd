// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** What a kind of fault needs of the machine beyond a JVM and signals. */
enum Need {
  NETWORK(
      "root, and the packages iproute2 and iptables",
      () -> isRoot() && onPath("ip") && onPath("iptables")),
  DISK(
      "root, loop devices, and the packages e2fsprogs, mount and perl",
      () -> isRoot() && onPath("mkfs.ext4") && onPath("mount") && onPath("perl")),
  CGROUPS(
      "root and version 1 of the control groups cpu and blkio",
      () -> isRoot() && Cgroups.areMounted()),
  STRACE("root and the package strace", () -> isRoot() && onPath("strace")),
  FAKETIME("the package libfaketime", () -> Faketime.library().isPresent());

  private final String text;
  private final BooleanSupplier check;

  Need(String text, BooleanSupplier check) {
    this.text = text;
    this.check = check;
  }

  /** What there is here. */
  static Set<Need> met() {
    Set<Need> met = EnumSet.noneOf(Need.class);
    for (Need need : values()) {
      if (need.check.getAsBoolean()) {
        met.add(need);
      }
    }
    return met;
  }

  /** For people: what is not there, and how to get it. */
  static List<String> missing() {
    Set<Need> met = met();
    return Stream.of(values())
        .filter(need -> !met.contains(need))
        .map(need -> need.toString())
        .toList();
  }

  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT) + " (" + text + ")";
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static boolean onPath(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
