// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.TimeSource;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The connection to one member, with the calls in flight on it and an opinion about its health.
 *
 * <p>A frozen member keeps its connections open and says nothing. While a call is in flight and
 * nothing was heard for a while, the member is asked for its status; if it stays silent, every call
 * in flight is broken off, so that their owners go elsewhere.
 *
 * <p>Thread-safe; {@link #tick} is called by the scheduler only.
 */
final class MemberChannel {

  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
  private static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(700);
  private static final long FIRST_COOL_DOWN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final int MAX_DOUBLINGS = 5;

  private final String address;
  private final ManagedChannel grpc;
  private final TimeSource time;
  private final Set<MemberCall<?, ?>> inFlight = ConcurrentHashMap.newKeySet();

  private volatile long heardAtNanos;
  private volatile boolean suspected;
  private volatile long suspectedUntilNanos;
  private int strikes;
  private final AtomicBoolean foreign = new AtomicBoolean();

  private ClientCall<GetStatusRequest, GetStatusResponse> probe;
  private long probedAtNanos;

  MemberChannel(String address, ManagedChannel grpc, TimeSource time) {
    this.address = address;
    this.grpc = grpc;
    this.time = time;
    this.heardAtNanos = time.nanoTime();
  }

  String address() {
    return address;
  }

  /**
   * A call that is not started yet. It belongs to this client and not to who causes it: inside the
   * handler of a server, the deadline and the cancellation of that server's own call would else end
   * it, which would look like a failure of the member.
   */
  <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method) {
    Context callers = Context.ROOT.attach();
    try {
      return grpc.newCall(method, CallOptions.DEFAULT);
    } finally {
      Context.ROOT.detach(callers);
    }
  }

  void began(MemberCall<?, ?> call) {
    inFlight.add(call);
  }

  void finished(MemberCall<?, ?> call) {
    inFlight.remove(call);
  }

  boolean isIdle() {
    return inFlight.isEmpty();
  }

  void heard() {
    heardAtNanos = time.nanoTime();
    if (suspected) {
      trust();
    }
  }

  boolean heardSince(long nanos) {
    return heardAtNanos - nanos >= 0;
  }

  /** Whether this member should be left alone for now. */
  boolean isSuspect(long nowNanos) {
    return suspected && nowNanos - suspectedUntilNanos < 0;
  }

  /** Whether something failed here and nothing has been heard since. */
  boolean isDoubtful() {
    return suspected;
  }

  /**
   * Whether to believe others who say that this member leads. Followers go on naming a dead leader
   * until they have elected another, so one that has failed must at least be connected again.
   */
  boolean mayLead(long nowNanos) {
    return !suspected || (!isSuspect(nowNanos) && grpc.getState(true) == ConnectivityState.READY);
  }

  long suspectedUntilNanos() {
    return suspectedUntilNanos;
  }

  /** Notes that the member belongs to another cluster. Returns whether that is news. */
  boolean isFirstTimeForeign() {
    return foreign.compareAndSet(false, true);
  }

  /** Leaves the member alone for a while, longer each time. */
  synchronized void suspect(long nowNanos) {
    if (isSuspect(nowNanos)) {
      return;
    }
    suspectedUntilNanos = nowNanos + (FIRST_COOL_DOWN_NANOS << Math.min(strikes, MAX_DOUBLINGS));
    strikes++;
    suspected = true;
  }

  private synchronized void trust() {
    suspected = false;
    strikes = 0;
  }

  /** Connects ahead of the first call, so that a change of leader need not wait for a handshake. */
  void dial() {
    grpc.getState(true);
  }

  /**
   * gRPC waits up to two minutes before it dials a lost member again; a chosen one is dialled now.
   */
  void dialIfLost() {
    if (grpc.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      grpc.resetConnectBackoff();
    }
  }

  /** Breaks off overdue calls, and all of them if the member is silent. */
  void tick(long nowNanos) {
    long oldest = nowNanos;
    for (MemberCall<?, ?> call : inFlight) {
      if (call.isOverdue(nowNanos)) {
        if (!heardSince(call.startedAtNanos())) {
          suspect(nowNanos);
        }
        call.breakOff(Failure.broken("no answer from " + address + " in time"));
      } else if (call.startedAtNanos() - oldest < 0) {
        oldest = call.startedAtNanos();
      }
    }
    if (probe != null && heardSince(probedAtNanos)) {
      endProbe();
    }
    if (inFlight.isEmpty()) {
      endProbe();
    } else if (probe != null) {
      if (nowNanos - probedAtNanos >= SILENCE_NANOS) {
        endProbe();
        suspect(nowNanos);
        breakOffAll(Failure.broken(address + " is silent"));
      }
    } else if (nowNanos - oldest >= QUIET_NANOS && nowNanos - heardAtNanos >= QUIET_NANOS) {
      startProbe(nowNanos);
    }
  }

  /** Gives an outstanding probe its full time again: this process itself could not run. */
  void restartProbe(long nowNanos) {
    probedAtNanos = nowNanos;
  }

  private void breakOffAll(Failure failure) {
    for (MemberCall<?, ?> call : inFlight) {
      call.breakOff(failure);
    }
  }

  private void startProbe(long nowNanos) {
    probedAtNanos = nowNanos;
    probe = newCall(ClusterServiceGrpc.getGetStatusMethod());
    probe.start(new ProbeListener(), new Metadata());
    probe.request(1);
    probe.sendMessage(GetStatusRequest.getDefaultInstance());
    probe.halfClose();
  }

  private void endProbe() {
    if (probe != null) {
      probe.cancel("no longer needed", null);
      probe = null;
    }
  }

  void close() {
    breakOffAll(Failure.broken("the client is closed"));
    grpc.shutdownNow();
  }

  private final class ProbeListener extends ClientCall.Listener<GetStatusResponse> {

    @Override
    public void onMessage(GetStatusResponse message) {
      heard();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      // Any status from the member itself is a sign of life; a failed connection is none.
      if (status.getCode() == Status.Code.UNIMPLEMENTED) {
        heard();
      }
    }
  }
}
