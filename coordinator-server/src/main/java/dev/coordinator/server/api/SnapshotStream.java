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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends a snapshot file to a client as fast as the client takes it. */
final class SnapshotStream {

  private static final Logger log = LoggerFactory.getLogger(SnapshotStream.class);
  private static final int PART_BYTES = 256 << 10;

  private final ServerCallStreamObserver<SnapshotResponse> responses;
  private final Runnable onEnd;

  /** Null until the snapshot is taken, and again once it was sent or nobody wants it any more. */
  private SnapshotExport file;

  private ResponseHeader header;
  private long sent;
  private boolean ended;

  /**
   * To be made while the call is being started.
   *
   * @param onEnd called once, whichever way the call ends
   */
  SnapshotStream(ServerCallStreamObserver<SnapshotResponse> responses, Runnable onEnd) {
    this.responses = responses;
    this.onEnd = onEnd;
    responses.setOnReadyHandler(this::send);
    responses.setOnCancelHandler(this::end);
  }

  /** Whether nobody wants the snapshot any more. */
  synchronized boolean hasEnded() {
    return ended;
  }

  /** Begins to send the file, and closes it in the end. */
  synchronized void begin(ResponseHeader responseHeader, SnapshotExport snapshot) {
    header = responseHeader;
    file = snapshot;
    if (ended) {
      close();
    } else {
      send();
    }
  }

  private synchronized void send() {
    try {
      while (file != null && responses.isReady()) {
        sendPart();
      }
    } catch (IOException e) {
      log.error("a snapshot cannot be read", e);
      fail(Status.INTERNAL.withDescription("the snapshot cannot be read").asRuntimeException());
    }
  }

  synchronized void fail(StatusRuntimeException failure) {
    if (!ended) {
      end();
      responses.onError(failure);
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
    if (sent == file.bytes()) {
      end();
      responses.onCompleted();
    }
  }

  private synchronized void end() {
    if (!ended) {
      ended = true;
      onEnd.run();
    }
    close();
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
