// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** What a kind of fault needs of the machine beyond a JVM and signals. */
enum Need {
  NETWORK("root, and the packages iproute2, iptables and util-linux"),
  DISK("root, loop devices, and the packages e2fsprogs, mount, util-linux and perl"),
  CGROUPS("root, and version 1 of the control groups cpu and blkio"),
  STRACE("root, and the package strace"),
  FAKETIME("the package libfaketime");

  private final String text;

  Need(String text) {
    this.text = text;
  }

  /** What there is here. */
  static Set<Need> met() {
    Set<Need> met = EnumSet.noneOf(Need.class);
    for (Need need : values()) {
      if (need.isMet()) {
        met.add(need);
      }
    }
    return met;
  }

  /** For people: what is not there. */
  static List<String> missing() {
    Set<Need> met = met();
    return Stream.of(values())
        .filter(need -> !met.contains(need))
        .map(need -> need.name().toLowerCase(Locale.ROOT) + ": needs " + need.text)
        .toList();
  }

  private boolean isMet() {
    return switch (this) {
      case NETWORK -> isRoot() && haveAll("ip", "tc", "iptables", "nsenter");
      case DISK -> isRoot() && haveAll("mkfs.ext4", "fsck.ext4", "mount", "mountpoint", "perl");
      case CGROUPS -> isRoot() && Cgroups.areMounted();
      case STRACE -> isRoot() && haveAll("strace");
      case FAKETIME -> Faketime.library().isPresent();
    };
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static boolean haveAll(String... programs) {
    return Stream.of(programs).allMatch(Need::isOnPath);
  }

  private static boolean isOnPath(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
