// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.protobuf.ByteString;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.server.storage.DiskFile;
import dev.coordinator.server.storage.snapshot.Exports;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.ResponseHeader;
import dev.coordinator.v1.SnapshotRequest;
import dev.coordinator.v1.SnapshotResponse;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A snapshot is sent while the disk may hang. */
class SnapshotStreamTest {

  /** Some parts, the last of them a short one. */
  private static final int FILE_BYTES = 1_200_000;

  private final SlowFile file = new SlowFile();
  private final ExecutorService reader = Executors.newSingleThreadExecutor();
  private final ExecutorService taker = Executors.newSingleThreadExecutor();
  private final AtomicInteger ends = new AtomicInteger();
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws IOException {
    // As on the ports of a member, handlers run on the threads of the connections.
    server =
        NettyServerBuilder.forPort(0).directExecutor().addService(new Service()).build().start();
    channel =
        Grpc.newChannelBuilder("127.0.0.1:" + server.getPort(), InsecureChannelCredentials.create())
            .build();
  }

  @AfterEach
  void stop() {
    file.reads.release(1_000);
    channel.shutdownNow();
    server.shutdownNow();
    taker.shutdownNow();
    reader.shutdownNow();
  }

  /** A file each read of which has to be allowed. */
  private static final class SlowFile implements DiskFile {

    private final byte[] content = new byte[FILE_BYTES];
    private final Semaphore reads = new Semaphore(0);
    private volatile boolean read;
    private volatile boolean closed;
    private volatile boolean closedWhileRead;

    SlowFile() {
      new Random(1).nextBytes(content);
    }

    @Override
    public long size() {
      return content.length;
    }

    @Override
    public void read(ByteBuffer target, long position) {
      read = true;
      reads.acquireUninterruptibly();
      target.put(content, (int) position, target.remaining());
      read = false;
    }

    @Override
    public void close() {
      closedWhileRead = read;
      closed = true;
    }

    @Override
    public void write(ByteBuffer source, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void force() {
      throw new UnsupportedOperationException();
    }
  }

  private final class Service extends ClusterServiceGrpc.ClusterServiceImplBase {

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> observer) {
      observer.onNext(GetStatusResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
      var stream =
          new SnapshotStream(
              (ServerCallStreamObserver<SnapshotResponse>) observer, reader, ends::incrementAndGet);
      taker.execute(
          () -> {
            try {
              stream.begin(ResponseHeader.getDefaultInstance(), Exports.of(file));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
  }

  private ClusterServiceGrpc.ClusterServiceBlockingStub operator() {
    return ClusterServiceGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private Iterator<SnapshotResponse> snapshot() {
    return operator().snapshot(SnapshotRequest.getDefaultInstance());
  }

  @Test
  void othersOnTheConnectionAreAnsweredWhileTheDiskHangs() {
    Iterator<SnapshotResponse> parts = snapshot();
    file.reads.release();
    SnapshotResponse first = parts.next();
    assertEquals(FILE_BYTES, first.getTotalBytes());
    assertEquals(40, first.getSnapshotIndex());
    InProcessCluster.await("the next part to be read", () -> file.read);
    assertEquals(
        GetStatusResponse.getDefaultInstance(),
        operator().getStatus(GetStatusRequest.getDefaultInstance()));

    file.reads.release(1_000);
    ByteString whole = first.getData();
    while (parts.hasNext()) {
      whole = whole.concat(parts.next().getData());
    }
    assertArrayEquals(file.content, whole.toByteArray());
    InProcessCluster.await("the file to be closed", () -> file.closed);
    assertEquals(1, ends.get());
  }

  @Test
  void aClientThatLeavesMakesRoomAtOnceAndTheFileIsClosedAfterTheRead() {
    Context.CancellableContext client = Context.current().withCancellation();
    client.run(this::snapshot);
    InProcessCluster.await("the first part to be read", () -> file.read);
    client.cancel(null);
    InProcessCluster.await("the end of the call", () -> ends.get() == 1);
    assertFalse(file.closed);

    file.reads.release(1_000);
    InProcessCluster.await("the file to be closed", () -> file.closed);
    assertFalse(file.closedWhileRead);
    assertEquals(1, ends.get());
  }
}
