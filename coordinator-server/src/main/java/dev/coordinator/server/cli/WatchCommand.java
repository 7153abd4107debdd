// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import dev.coordinator.v1.WatchServiceGrpc;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code coordinator watch}: what happens to locks, as it happens. */
@Command(
    name = "watch",
    description = {
      "Prints what happens to locks, in order, without gaps or repeats, until Ctrl-C.",
      "",
      "It first prints the locks that are held. When the member it listens to goes away, it goes on"
          + " at another one where it stood."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator watch backups/db",
      "  coordinator watch --prefix backups/ --output json",
      ""
    })
final class WatchCommand implements Callable<Integer> {

  /** Marks of progress come each second, so a member that misses a few is frozen or cut off. */
  private static final long SILENCE_MS = 3_000;

  /** Exactly one of the two. */
  static final class Target {
    @Parameters(paramLabel = "NAME", description = "The name of the lock.")
    private String name;

    @Option(
        names = "--prefix",
        paramLabel = "PREFIX",
        description = "All locks whose names begin with this; '' for all.")
    private String prefix;
  }

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Target target;

  @Option(
      names = "--from",
      paramLabel = "REVISION",
      description =
          "Begin with the events of this revision in place of the present state. Events are kept"
              + " for a while only.")
  private Long startRevision;

  @Mixin private ConnectionOptions connections;
  @Mixin private Output output;

  /** The first revision that is not wholly printed; 0 to begin with the present state. */
  private long next;

  /** The last event printed, which may be one of several of its revision. */
  private long printedRevision;

  private int printedOrdinal;

  record Line(
      long revision,
      String kind,
      String name,
      Long token,
      Long leaseId,
      String owner,
      String metadata,
      Integer waiters) {}

  @Override
  public Integer call() throws InterruptedException {
    next = startRevision == null ? 0 : startRevision;
    try (Connection connection = connections.open()) {
      while (true) {
        follow(connection);
        connection.goElsewhere();
      }
    }
  }

  /** Follows one stream until it breaks or falls silent. */
  private void follow(Connection connection) throws InterruptedException {
    WatchRequest.Builder request = WatchRequest.newBuilder().setProgress(true);
    if (target.name != null) {
      request.setName(target.name);
    } else {
      request.setPrefix(target.prefix);
    }
    if (next == 0) {
      request.setInitialState(true);
    } else {
      request.setStartRevision(next);
    }
    List<Lock> state = new ArrayList<>();
    Stream stream = connection.repeatable((channel, end) -> open(channel, end, request.build()));
    try {
      WatchResponse response = stream.first();
      while (response != null) {
        state.addAll(response.getInitialStateList());
        // A large state comes in several messages; the last one tells its revision.
        if (response.getRevision() > 0) {
          print(state, response);
          state.clear();
          next = Math.max(next, response.getRevision() + 1);
        }
        response = stream.call().read(SILENCE_MS, TimeUnit.MILLISECONDS);
      }
    } catch (TimeoutException e) {
      stream.call().cancel("the member is silent", e);
    } catch (StatusException e) {
      if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
        throw explained(e.getStatus().asRuntimeException(e.getTrailers()));
      }
    }
  }

  private record Stream(BlockingClientCall<?, WatchResponse> call, WatchResponse first) {}

  /** The first message comes at once, so it is the one that has to come in time. */
  private static Stream open(Channel channel, Deadline end, WatchRequest request) {
    BlockingClientCall<?, WatchResponse> call =
        WatchServiceGrpc.newBlockingV2Stub(channel).watch(request);
    try {
      return new Stream(
          call, call.read(end.timeRemaining(TimeUnit.MILLISECONDS), TimeUnit.MILLISECONDS));
    } catch (StatusException e) {
      throw failure(e);
    } catch (TimeoutException e) {
      call.cancel("no answer in time", e);
      throw Status.DEADLINE_EXCEEDED.withDescription("no answer in time").asRuntimeException();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withDescription("interrupted").asRuntimeException();
    }
  }

  /** The limit on watches is one of each member; another may have room. */
  private static StatusRuntimeException failure(StatusException e) {
    StatusRuntimeException failure = e.getStatus().asRuntimeException(e.getTrailers());
    return GrpcFailure.reason(failure) == ErrorReason.ERROR_REASON_LIMIT_REACHED
        ? Status.UNAVAILABLE.withDescription(GrpcFailure.describe(failure)).asRuntimeException()
        : failure;
  }

  private static RuntimeException explained(StatusRuntimeException e) {
    return GrpcFailure.reason(e) == ErrorReason.ERROR_REASON_COMPACTED
        ? new CliException(
            ExitCode.FAILED, GrpcFailure.describe(e) + "; start again without --from")
        : e;
  }

  private void print(List<Lock> state, WatchResponse response) {
    long stateRevision =
        response.getEventsCount() > 0
            ? response.getEvents(0).getRevision() - 1
            : response.getRevision();
    state.forEach(lock -> printState(stateRevision, lock));
    for (LockEvent event : response.getEventsList()) {
      if (isNew(event)) {
        printedRevision = event.getRevision();
        printedOrdinal = event.getOrdinal();
        printEvent(event);
      }
    }
  }

  /** A stream that breaks within a revision is resumed at the revision's beginning. */
  private boolean isNew(LockEvent event) {
    return event.getRevision() > printedRevision
        || (event.getRevision() == printedRevision
            && Integer.compareUnsigned(event.getOrdinal(), printedOrdinal) > 0);
  }

  private void printState(long revision, Lock lock) {
    boolean held = lock.hasHolder();
    Line line =
        new Line(
            revision,
            held ? "held" : "free",
            lock.getName(),
            held ? lock.getHolder().getToken() : null,
            held ? lock.getHolder().getLeaseId() : null,
            lock.getHolder().getOwner(),
            lock.getHolder().getMetadata(),
            lock.getWaiterCount());
    output.printLine(line, () -> text(line));
  }

  private void printEvent(LockEvent event) {
    Line line =
        new Line(
            event.getRevision(),
            event.getKind().name().substring("KIND_".length()).toLowerCase(Locale.ROOT),
            event.getName(),
            event.getToken(),
            event.getLeaseId(),
            event.getOwner(),
            event.getMetadata(),
            null);
    output.printLine(line, () -> text(line));
  }

  private static String text(Line line) {
    StringBuilder text =
        new StringBuilder(
            String.format(Locale.ROOT, "%8d  %-8s  %s", line.revision(), line.kind(), line.name()));
    if (line.token() != null) {
      text.append("  token ").append(Long.toUnsignedString(line.token()));
      text.append("  lease ").append(Long.toUnsignedString(line.leaseId()));
    }
    if (!line.owner().isEmpty()) {
      text.append("  owner ").append(line.owner());
    }
    if (!line.metadata().isEmpty()) {
      text.append("  (").append(line.metadata()).append(')');
    }
    if (line.waiters() != null && line.waiters() > 0) {
      text.append("  ").append(line.waiters()).append(" waiting");
    }
    return text.toString();
  }
}
