// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static dev.coordinator.server.ClusterTest.acquire;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import dev.coordinator.server.storage.snapshot.SnapshotReader;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.SnapshotRequest;
import dev.coordinator.v1.SnapshotResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member in whose newest snapshot a bit flips. */
class DamagedSnapshotTest {

  @TempDir Path directory;
  private InProcessCluster cluster;

  private void start(Map<String, String> settings) throws Exception {
    cluster = InProcessCluster.start(directory, 1, settings);
    cluster.awaitLeader();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  /** Those in the data directory, oldest first. */
  private List<Path> files(String folder) throws IOException {
    try (Stream<Path> files = Files.list(cluster.dataDir(1).resolve(folder))) {
      return files.sorted().toList();
    }
  }

  private static void flipBit(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    content[content.length / 2] ^= 1;
    Files.write(file, content);
  }

  @Test
  void isTakenAgainBeforeAnybodyGetsIt() throws Exception {
    start(Map.of());
    long index = SnapshotReader.read(fetchSnapshot("first")).meta().index();
    Path kept = files("snapshots").get(0);
    flipBit(kept);

    Path again = fetchSnapshot("again");
    assertEquals(index, SnapshotReader.read(again).meta().index(), "nothing happened meanwhile");
    assertEquals(-1, Files.mismatch(again, kept));
  }

  private Path fetchSnapshot(String name) throws IOException {
    Iterator<SnapshotResponse> parts =
        ClusterServiceGrpc.newBlockingStub(cluster.channel(1))
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .snapshot(SnapshotRequest.getDefaultInstance());
    ByteString whole = ByteString.EMPTY;
    while (parts.hasNext()) {
      whole = whole.concat(parts.next().getData());
    }
    return Files.write(directory.resolve(name), whole.toByteArray());
  }

  @Test
  void isMadeUpForByTheOlderOneAndTheLogAtTheNextStart() throws Exception {
    start(Map.of("storage.snapshotTailEntries", "0"));
    Path firstSegment = files("log").get(0);
    List<Received<AcquireLockResponse>> locks = new ArrayList<>();
    for (int snapshots = 0; snapshots < 3; snapshots++) {
      // More than a segment each time.
      locks.addAll(take(locks.size(), 1_500));
      cluster.server(1).node().takeSnapshot().get(30, TimeUnit.SECONDS);
    }
    locks.addAll(take(locks.size(), 10));
    InProcessCluster.await("the log to shrink", () -> !Files.exists(firstSegment));
    cluster.stop(1);
    List<Path> snapshots = files("snapshots");
    assertEquals(2, snapshots.size());
    flipBit(snapshots.get(1));

    cluster.start(1);
    cluster.awaitLeader();
    for (int i = 0; i < locks.size(); i++) {
      GetLockRequest name = GetLockRequest.newBuilder().setName("lock/" + i).build();
      assertEquals(
          locks.get(i).next().getToken(),
          cluster.locks(1).getLock(name).getLock().getHolder().getToken());
    }
  }

  private List<Received<AcquireLockResponse>> take(int first, int count) {
    List<Received<AcquireLockResponse>> taken = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      var lock = new Received<AcquireLockResponse>();
      LockServiceGrpc.newStub(cluster.channel(1))
          .acquireLock(
              acquire("lock/" + i).toBuilder()
                  .setTtl(Duration.newBuilder().setSeconds(600))
                  .setMetadata("m".repeat(1_000))
                  .build(),
              lock);
      taken.add(lock);
    }
    taken.forEach(lock -> assertTrue(lock.firstOrEnd()));
    return taken;
  }
}
