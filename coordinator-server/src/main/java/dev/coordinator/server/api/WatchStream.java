// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.machine.Event;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.runtime.NodeException;
import dev.coordinator.server.runtime.WatchEvent;
import dev.coordinator.server.runtime.WatchHub;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.ResponseHeader;
import dev.coordinator.v1.WatchResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One Watch stream. Takes from the history only what its client is ready to read, so a slow client
 * costs no memory; one that falls too far behind is told from where it can go on.
 */
final class WatchStream implements WatchHub.Listener {

  private static final int MAX_STATE_BYTES = 256 << 10;

  private final ServerCallStreamObserver<WatchResponse> responses;
  private final Supplier<ResponseHeader> header;
  private final Statuses statuses;
  private final Consumer<WatchStream> whenEnded;

  // Guarded by this: several threads learn that there is something to send.
  private WatchHub.Subscription subscription;
  private WatchHub.Step firstStep;
  private int sentOfState;
  private boolean begun;
  private boolean ended;

  WatchStream(
      ServerCallStreamObserver<WatchResponse> responses,
      Supplier<ResponseHeader> header,
      Statuses statuses,
      Consumer<WatchStream> whenEnded) {
    this.responses = responses;
    this.header = header;
    this.statuses = statuses;
    this.whenEnded = whenEnded;
    responses.setOnReadyHandler(this::ready);
    responses.setOnCancelHandler(this::cancelled);
  }

  synchronized void follow(WatchHub.Subscription watch) {
    subscription = watch;
    if (ended) {
      watch.close();
    } else {
      send(false);
    }
  }

  @Override
  public synchronized void ready() {
    send(false);
  }

  synchronized void sendProgress() {
    send(true);
  }

  @Override
  public synchronized void ended(NodeException why) {
    send(false);
    fail(why);
  }

  private synchronized void cancelled() {
    end();
  }

  private void send(boolean progress) {
    try {
      while (!ended && subscription != null && responses.isReady() && sendNext(progress)) {
        // Until the client or the history has had enough.
      }
    } catch (RuntimeException failure) {
      // Most of all a CompactedException.
      fail(failure);
    }
  }

  private boolean sendNext(boolean progress) {
    if (firstStep != null) {
      sendState();
      return true;
    }
    WatchHub.Step step = subscription.pull(progress);
    if (step == null) {
      return false;
    }
    if (!begun) {
      firstStep = step;
      sendState();
    } else {
      responses.onNext(withEvents(WatchResponse.newBuilder(), step).build());
    }
    return true;
  }

  /**
   * Sends as much of the initial state as one message takes; the last such message has the rest.
   */
  private void sendState() {
    var response = WatchResponse.newBuilder();
    if (!begun) {
      begun = true;
      response.setHeader(header.get());
    }
    int bytes = 0;
    while (sentOfState < firstStep.initialState().size() && bytes < MAX_STATE_BYTES) {
      LockView lock = firstStep.initialState().get(sentOfState++);
      var message = Views.lock(lock, firstStep.stateTimeMs());
      response.addInitialState(message);
      bytes += message.getSerializedSize();
    }
    if (sentOfState == firstStep.initialState().size()) {
      withEvents(response, firstStep);
      firstStep = null;
    }
    responses.onNext(response.build());
  }

  private static WatchResponse.Builder withEvents(
      WatchResponse.Builder response, WatchHub.Step step) {
    response.setRevision(step.revision());
    for (WatchEvent event : step.events()) {
      response.addEvents(message(event));
    }
    return response;
  }

  private static LockEvent message(WatchEvent event) {
    var message =
        LockEvent.newBuilder()
            .setRevision(event.revision())
            .setOrdinal(event.ordinal())
            .setName(event.name());
    switch (event.kind()) {
      case ACQUIRED -> message.setKind(LockEvent.Kind.KIND_ACQUIRED);
      case RELEASED -> message.setKind(LockEvent.Kind.KIND_RELEASED);
      case EXPIRED -> message.setKind(LockEvent.Kind.KIND_EXPIRED);
      case REVOKED -> message.setKind(LockEvent.Kind.KIND_REVOKED);
    }
    if (event.event() instanceof Event.LockAcquired lock) {
      message
          .setLeaseId(lock.leaseId())
          .setOwner(lock.owner())
          .setToken(lock.token())
          .setMetadata(lock.metadata());
    } else if (event.event() instanceof Event.LockReleased lock) {
      message
          .setLeaseId(lock.leaseId())
          .setOwner(lock.owner())
          .setToken(lock.token())
          .setMetadata(lock.metadata());
    }
    return message.build();
  }

  private void fail(RuntimeException why) {
    if (!ended) {
      responses.onError(statuses.of(why));
      end();
    }
  }

  private void end() {
    if (!ended) {
      ended = true;
      if (subscription != null) {
        subscription.close();
      }
      whenEnded.accept(this);
    }
  }
}
