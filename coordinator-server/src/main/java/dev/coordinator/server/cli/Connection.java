// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.v1.ErrorReason;
import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The way of a command to a cluster: the first of its endpoints that answers, then the others.
 *
 * <p>Any member answers any call, so one connection is enough; the endpoints are tried in turn
 * until the time is up.
 */
public final class Connection implements AutoCloseable {

  private static final long PAUSE_MS = 100;

  /** A page of a list, with long names, metadata and queues, is larger than gRPC's 4 MiB. */
  private static final int MAX_ANSWER_BYTES = 16 << 20;

  /** One exchange with a member, which must use the deadline it is given. */
  public interface Call<T> {
    T with(Channel channel, Deadline deadline);
  }

  private final Map<String, ManagedChannel> channels = new LinkedHashMap<>();
  private final Duration timeout;
  private String lastUsed;

  Connection(List<String> endpoints, Duration timeout) {
    this.timeout = timeout;
    for (String endpoint : endpoints) {
      channels.put(
          endpoint,
          Grpc.newChannelBuilder(endpoint, InsecureChannelCredentials.create())
              .maxInboundMessageSize(MAX_ANSWER_BYTES)
              .build());
    }
  }

  /** Makes a call that may be repeated without harm. */
  public <T> T repeatable(Call<T> call) {
    return attempt(call, true);
  }

  /** Makes a call that is repeated only if the answer says that it had no effect. */
  public <T> T once(Call<T> call) {
    return attempt(call, false);
  }

  /** From now on asks the endpoint of the last answer after all others. */
  public void goElsewhere() {
    channels.put(lastUsed, channels.remove(lastUsed));
  }

  /** Whether a call failed because no member could answer just then: later it may succeed. */
  static boolean isOutage(RuntimeException e) {
    if (e instanceof StatusRuntimeException failure) {
      return mayRepeat(failure, true);
    }
    return e instanceof CliException failure && failure.exitCode() == ExitCode.UNAVAILABLE;
  }

  private <T> T attempt(Call<T> call, boolean repeatable) {
    Deadline end = Deadline.after(timeout.toMillis(), TimeUnit.MILLISECONDS);
    // A member that accepts connections but is frozen must not use up the time of the others.
    long shareMs = Math.max(1, timeout.toMillis() / channels.size());
    StatusRuntimeException lastFailure = null;
    do {
      for (Map.Entry<String, ManagedChannel> endpoint : channels.entrySet()) {
        ManagedChannel channel = endpoint.getValue();
        Deadline share = end.minimum(Deadline.after(shareMs, TimeUnit.MILLISECONDS));
        if (!awaitReady(channel, share)) {
          continue;
        }
        try {
          T answer = call.with(channel, repeatable ? share : end);
          lastUsed = endpoint.getKey();
          return answer;
        } catch (StatusRuntimeException e) {
          if (!mayRepeat(e, repeatable)) {
            throw e;
          }
          lastFailure = e;
        }
      }
      pause();
    } while (!end.isExpired());
    if (lastFailure != null) {
      throw lastFailure;
    }
    throw new CliException(
        ExitCode.UNAVAILABLE,
        "no member answered at "
            + String.join(", ", channels.keySet())
            + " within "
            + TimeSpan.text(timeout.toMillis())
            + "; is it running? (--endpoints, --timeout)");
  }

  private static boolean mayRepeat(StatusRuntimeException e, boolean repeatable) {
    ErrorReason reason = GrpcFailure.reason(e);
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE ->
          repeatable
              || reason == ErrorReason.ERROR_REASON_NO_LEADER
              || reason == ErrorReason.ERROR_REASON_NOT_LEADER;
      case DEADLINE_EXCEEDED -> repeatable;
      case RESOURCE_EXHAUSTED -> reason == ErrorReason.ERROR_REASON_OVERLOADED;
      default -> false;
    };
  }

  /** Whether the connection stands before the deadline; false at once when it is refused. */
  private static boolean awaitReady(ManagedChannel channel, Deadline deadline) {
    while (!deadline.isExpired()) {
      ConnectivityState state = channel.getState(true);
      if (state == ConnectivityState.READY) {
        return true;
      }
      if (state == ConnectivityState.TRANSIENT_FAILURE || state == ConnectivityState.SHUTDOWN) {
        channel.resetConnectBackoff();
        return false;
      }
      CountDownLatch changed = new CountDownLatch(1);
      channel.notifyWhenStateChanged(state, changed::countDown);
      try {
        if (!changed.await(deadline.timeRemaining(TimeUnit.MILLISECONDS), TimeUnit.MILLISECONDS)) {
          return false;
        }
      } catch (InterruptedException e) {
        throw interrupted();
      }
    }
    return false;
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private static StatusRuntimeException interrupted() {
    Thread.currentThread().interrupt();
    return Status.CANCELLED.withDescription("interrupted").asRuntimeException();
  }

  @Override
  public void close() {
    channels.values().forEach(ManagedChannel::shutdownNow);
  }
}
