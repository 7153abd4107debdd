// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import com.google.protobuf.UnsafeByteOperations;
import dev.coordinator.server.storage.snapshot.SnapshotExport;
import dev.coordinator.v1.ResponseHeader;
import dev.coordinator.v1.SnapshotResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a snapshot file to a client as fast as the client takes it.
 *
 * <p>The file is read and closed on a thread that may wait for the disk: those of gRPC carry the
 * calls of others, and what members say to each other.
 */
final class SnapshotStream {

  private static final Logger log = LoggerFactory.getLogger(SnapshotStream.class);
  private static final int PART_BYTES = 256 << 10;

  private final ServerCallStreamObserver<SnapshotResponse> responses;
  private final Executor reader;
  private final Runnable onEnd;
  private final AtomicBoolean ended = new AtomicBoolean();

  /**
   * Null until the snapshot is taken, and again once it was sent or nobody wants it any more. This
   * and what follows is for the reader's thread alone.
   */
  private SnapshotExport file;

  private ResponseHeader header;
  private long sent;

  /**
   * To be made while the call is being started.
   *
   * @param reader does one thing after the other, and may be kept waiting by the disk
   * @param onEnd called once, whichever way the call ends
   */
  SnapshotStream(
      ServerCallStreamObserver<SnapshotResponse> responses, Executor reader, Runnable onEnd) {
    this.responses = responses;
    this.reader = reader;
    this.onEnd = onEnd;
    responses.setOnReadyHandler(() -> onReader(this::send));
    responses.setOnCancelHandler(this::cancelled);
  }

  /** Whether nobody wants the snapshot any more. */
  boolean hasEnded() {
    return ended.get();
  }

  /** Begins to send the file, and closes it in the end. */
  void begin(ResponseHeader responseHeader, SnapshotExport snapshot) {
    onReader(
        () -> {
          header = responseHeader;
          file = snapshot;
          send();
        });
  }

  /** Ends the call in place of {@link #begin}. */
  void fail(StatusRuntimeException failure) {
    if (end()) {
      responses.onError(failure);
    }
  }

  private void cancelled() {
    end();
    // Not at once: it may be read just now.
    onReader(this::close);
  }

  private void onReader(Runnable task) {
    try {
      reader.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("closed, nothing more of a snapshot is sent");
    }
  }

  /** Returns whether the call had not ended before. */
  private boolean end() {
    boolean first = ended.compareAndSet(false, true);
    if (first) {
      onEnd.run();
    }
    return first;
  }

  private void send() {
    try {
      while (file != null && !hasEnded() && responses.isReady()) {
        sendPart();
      }
    } catch (IOException | RuntimeException e) {
      log.error("a snapshot cannot be read", e);
      fail(Status.INTERNAL.withDescription("the snapshot cannot be read").asRuntimeException());
    } finally {
      if (hasEnded()) {
        close();
      }
    }
  }

  private void sendPart() throws IOException {
    var response = SnapshotResponse.newBuilder();
    if (sent == 0) {
      response.setHeader(header).setTotalBytes(file.bytes()).setSnapshotIndex(file.last().index());
    }
    byte[] data = file.read(sent, PART_BYTES);
    sent += data.length;
    responses.onNext(response.setData(UnsafeByteOperations.unsafeWrap(data)).build());
    if (sent == file.bytes() && end()) {
      responses.onCompleted();
    }
  }

  private void close() {
    if (file != null) {
      try (SnapshotExport closing = file) {
        file = null;
      } catch (IOException e) {
        log.warn("a snapshot that was read could not be closed", e);
      }
    }
  }
}
