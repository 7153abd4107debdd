// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.raft.NodeId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A data directory has one owner, is bound to one member, and notices when it is not whole. */
final class DataDirectoryTest {

  private static final NodeId MEMBER = new NodeId(1);

  @TempDir private Path temporary;

  private Path path() {
    return temporary.resolve("data/member-1");
  }

  private DataDirectory open() throws IOException {
    return DataDirectory.open(path(), "prod", MEMBER);
  }

  private static void openLog(DataDirectory directory) throws IOException {
    SegmentedLogStore.open(
            directory,
            new SegmentedLogConfig(4096, 4096),
            new StorageMetrics(new SimpleMeterRegistry()),
            System::nanoTime)
        .close();
  }

  private String refusal(String clusterId, NodeId memberId) {
    return assertThrows(
            StorageException.class, () -> DataDirectory.open(path(), clusterId, memberId))
        .getMessage();
  }

  @Test
  void anIdentityIsMadeOnceAndStays() throws IOException {
    LogIdentity first;
    try (DataDirectory directory = open()) {
      first = directory.identity();
      assertEquals(path(), directory.path());
    }
    assertEquals("prod", first.clusterId());
    assertEquals(MEMBER, first.memberId());
    try (DataDirectory directory = open()) {
      assertEquals(first, directory.identity());
    }
    try (DataDirectory other = DataDirectory.open(temporary.resolve("b"), "prod", MEMBER)) {
      assertNotEquals(first.salt(), other.identity().salt());
    }
  }

  @Test
  void anotherMemberOrClusterIsRefused() throws IOException {
    open().close();
    assertEquals(
        "data directory "
            + path()
            + " is of member 1 of cluster 'prod', but the configuration says member 2 of cluster"
            + " 'prod': correct the configuration, or choose another data directory",
        refusal("prod", new NodeId(2)));
    assertTrue(refusal("test", MEMBER).contains("says member 1 of cluster 'test'"));
    open().close();
  }

  @Test
  void aSecondOwnerInThisProcessIsRefusedAndDoesNotFreeTheLock() throws Exception {
    try (DataDirectory first = open()) {
      assertEquals(path(), first.path());
      for (int i = 0; i < 2; i++) {
        assertTrue(refusal("prod", MEMBER).contains(" is in use by this process: "));
      }
      Path sameElsewhere = Files.createSymbolicLink(temporary.resolve("link"), path());
      assertTrue(
          assertThrows(
                  StorageException.class, () -> DataDirectory.open(sameElsewhere, "prod", MEMBER))
              .getMessage()
              .contains("in use by this process"));
      try (DirectoryHolder other = new DirectoryHolder(path())) {
        assertTrue(other.answer().contains(" is in use by another process (pid "), other.answer());
        assertTrue(other.answer().contains("(pid " + ProcessHandle.current().pid() + ")"));
      }
    }
    open().close();
  }

  @Test
  void anotherProcessIsRefusedUntilTheOwnerIsGoneHoweverItEnds() throws Exception {
    try (DirectoryHolder owner = new DirectoryHolder(path())) {
      assertEquals("open " + path(), owner.answer());
      String message = refusal("prod", MEMBER);
      assertEquals(
          "data directory "
              + path().toRealPath()
              + " is in use by another process (pid "
              + owner.pid()
              + "): each member needs a data directory of its own; stop the other one, or choose"
              + " another directory",
          message);
    }
    open().close();
  }

  @Test
  void aLogThatIsGoneIsNotReplacedByAnEmptyOne() throws IOException {
    try (DataDirectory directory = open()) {
      openLog(directory);
    }
    try (Stream<Path> files = Files.list(path().resolve("log"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    try (DataDirectory directory = open()) {
      String message = assertThrows(StorageException.class, () -> openLog(directory)).getMessage();
      assertTrue(message.startsWith("the log of member 1 is gone from " + path()), message);
    }
  }

  @Test
  void aMemberThatStoppedBeforeItsFirstLogMayBeginOne() throws IOException {
    open().close();
    try (DataDirectory directory = open()) {
      openLog(directory);
    }
  }

  @Test
  void aLogWithoutIdentityIsRefused() throws IOException {
    try (DataDirectory directory = open()) {
      openLog(directory);
    }
    Files.delete(path().resolve("identity"));
    assertTrue(refusal("prod", MEMBER).contains("its file 'identity' is missing"));
  }

  @Test
  void aDamagedIdentityIsRefusedAtEveryByte() throws IOException {
    open().close();
    Path file = path().resolve("identity");
    byte[] good = Files.readAllBytes(file);
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 1;
      Files.write(file, bad);
      assertTrue(refusal("prod", MEMBER).startsWith(file + " is damaged: "), "byte " + i);
      Files.write(file, Arrays.copyOf(good, i));
      assertTrue(refusal("prod", MEMBER).startsWith(file + " is damaged: "), "cut at " + i);
    }
    Files.write(file, good);
    open().close();
  }

  @Test
  void aLeftoverOfAnInterruptedStartIsHarmless() throws IOException {
    Files.createDirectories(path());
    Files.writeString(path().resolve("identity.tmp"), "format=");
    open().close();
    open().close();
  }

  @Test
  void aFileInTheWayIsNamed() throws IOException {
    Files.createDirectories(path().getParent());
    Files.writeString(path(), "not a directory");
    assertTrue(
        refusal("prod", MEMBER).startsWith("data directory " + path() + " cannot be made: "));
  }

  @Test
  void aLockFileThatCannotBeOpenedIsNamedAndMayBeTriedAgain() throws IOException {
    Path lock = Files.createDirectories(path().resolve("lock"));
    for (int i = 0; i < 2; i++) {
      assertTrue(
          refusal("prod", MEMBER)
              .startsWith("cannot lock data directory " + path().toRealPath() + " ("));
    }
    Files.delete(lock);
    open().close();
  }

  @Test
  void anIdentityThatCannotBeWrittenDownIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> DataDirectory.open(path(), "", MEMBER));
    assertThrows(IllegalArgumentException.class, () -> DataDirectory.open(path(), "a\nb", MEMBER));
    assertThrows(
        IllegalArgumentException.class, () -> DataDirectory.open(path(), "x".repeat(256), MEMBER));
    assertThrows(
        IllegalArgumentException.class, () -> DataDirectory.open(path(), "prod", NodeId.NONE));
  }
}
