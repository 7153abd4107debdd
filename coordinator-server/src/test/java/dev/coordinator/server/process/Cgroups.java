// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The control groups of one host (version 1): how much CPU and disk its processes may use. */
final class Cgroups implements AutoCloseable {

  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final String QUOTA = "cpu.cfs_quota_us";
  private static final String WRITES = "blkio.throttle.write_iops_device";
  private static final int PERIOD_US = 100_000;

  private final Path cpu;
  private final Path blkio;

  Cgroups(String name) throws IOException {
    this.cpu = ROOT.resolve("cpu").resolve(name);
    this.blkio = ROOT.resolve("blkio").resolve(name);
    Files.createDirectories(cpu);
    Files.createDirectories(blkio);
  }

  static boolean areMounted() {
    return Files.exists(ROOT.resolve("cpu").resolve("cgroup.procs"))
        && Files.exists(ROOT.resolve("blkio").resolve("cgroup.procs"));
  }

  /** What to put before a command, so that it runs in these groups. */
  List<String> prefix() {
    String join = "echo $$ > " + cpu + "/cgroup.procs && echo $$ > " + blkio + "/cgroup.procs";
    return List.of("sh", "-c", join + " && exec \"$@\"", "sh");
  }

  /** At most this share of one CPU, in percent. */
  void limitCpu(int percent) throws IOException {
    Files.writeString(cpu.resolve(QUOTA), Integer.toString(PERIOD_US / 100 * percent));
  }

  /** At most so many writes a second to the block device, {@code major:minor}. */
  void limitWrites(String device, int perSecond) throws IOException {
    Files.writeString(blkio.resolve(WRITES), device + " " + perSecond);
  }

  /** No limits. */
  void heal(String device) throws IOException {
    Files.writeString(cpu.resolve(QUOTA), "-1");
    Files.writeString(blkio.resolve(WRITES), device + " 0");
  }

  /** Once all processes in them have ended. */
  @Override
  public void close() throws IOException {
    Files.deleteIfExists(cpu);
    Files.deleteIfExists(blkio);
  }

  /** Removes groups that an interrupted run left behind. */
  static void remove(String prefix) throws IOException {
    for (String controller : List.of("cpu", "blkio")) {
      try (var groups = Files.newDirectoryStream(ROOT.resolve(controller), prefix + "*")) {
        for (Path group : groups) {
          Files.delete(group);
        }
      }
    }
  }
}
