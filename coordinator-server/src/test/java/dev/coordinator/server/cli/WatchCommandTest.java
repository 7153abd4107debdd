// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import dev.coordinator.v1.WatchServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** How {@code coordinator watch} takes what members may do to it. */
class WatchCommandTest {

  /** A member whose watches follow a script, one scene each; one too many is refused. */
  private static final class Member extends WatchServiceGrpc.WatchServiceImplBase
      implements AutoCloseable {

    private final List<WatchRequest> requests = Collections.synchronizedList(new ArrayList<>());
    private final Queue<Consumer<StreamObserver<WatchResponse>>> scenes;
    private final Server server;

    Member(List<Consumer<StreamObserver<WatchResponse>>> scenes) throws IOException {
      this.scenes = new ArrayDeque<>(scenes);
      this.server =
          Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
              .addService(this)
              .build()
              .start();
    }

    String address() {
      return "127.0.0.1:" + server.getPort();
    }

    @Override
    public synchronized void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
      requests.add(request);
      Consumer<StreamObserver<WatchResponse>> scene = scenes.poll();
      if (scene == null) {
        observer.onError(Status.INVALID_ARGUMENT.withDescription("the end").asRuntimeException());
      } else {
        scene.accept(observer);
      }
    }

    @Override
    public void close() {
      server.shutdownNow();
    }
  }

  private static void breakOff(StreamObserver<WatchResponse> observer) {
    observer.onError(Status.UNAVAILABLE.asRuntimeException());
  }

  private static WatchResponse state(long revision, String lock) {
    LockHolder holder = LockHolder.newBuilder().setToken(7).setLeaseId(3).build();
    return WatchResponse.newBuilder()
        .setRevision(revision)
        .addInitialState(Lock.newBuilder().setName(lock).setHolder(holder))
        .build();
  }

  private static WatchResponse upTo(long revision, LockEvent... events) {
    return WatchResponse.newBuilder().setRevision(revision).addAllEvents(List.of(events)).build();
  }

  private static LockEvent event(long revision, int ordinal) {
    return LockEvent.newBuilder()
        .setRevision(revision)
        .setOrdinal(ordinal)
        .setKind(LockEvent.Kind.KIND_RELEASED)
        .setName("lock-" + ordinal)
        .build();
  }

  /** Watches until a member refuses it; revision, kind and lock of each line. */
  private static List<String> watch(String... arguments) {
    List<String> all = new ArrayList<>(List.of("watch", "--prefix", "", "--timeout", "20s"));
    all.addAll(List.of(arguments));
    Run refused = Run.of(all.toArray(String[]::new));
    assertEquals(ExitCode.USAGE, refused.exitCode(), refused.err());
    return refused
        .out()
        .lines()
        .map(line -> String.join(" ", List.of(line.trim().split("\\s+")).subList(0, 3)))
        .toList();
  }

  @Test
  void nothingIsLeftOutOrRepeatedWhereverTheStreamBreaks() throws Exception {
    try (Member member =
        new Member(
            List.of(
                // Within the state, which has no revision before its last message.
                first -> {
                  first.onNext(state(0, "a"));
                  breakOff(first);
                },
                // Within the events of one revision.
                second -> {
                  second.onNext(state(0, "a"));
                  second.onNext(state(50, "b"));
                  second.onNext(upTo(50, event(51, 0), event(51, 1)));
                  breakOff(second);
                },
                third -> {
                  third.onNext(upTo(50, event(51, 0)));
                  third.onNext(upTo(51, event(51, 1), event(51, 2)));
                  breakOff(third);
                }))) {
      assertEquals(
          List.of(
              "50 held a",
              "50 held b",
              "51 released lock-0",
              "51 released lock-1",
              "51 released lock-2"),
          watch("--endpoints", member.address()));
      assertEquals(
          List.of(true, true, false, false),
          member.requests.stream().map(WatchRequest::getInitialState).toList());
      assertEquals(
          List.of(0L, 0L, 51L, 52L),
          member.requests.stream().map(WatchRequest::getStartRevision).toList());
    }
  }

  @Test
  void aMemberThatFallsSilentOrHasNoRoomIsLeft() throws Exception {
    try (Member silent = new Member(List.of(observer -> observer.onNext(state(42, "a"))));
        Member full = new Member(List.of(WatchCommandTest::refuseForLackOfRoom));
        Member well =
            new Member(
                List.of(
                    observer -> {
                      observer.onNext(upTo(43, event(43, 0)));
                      breakOff(observer);
                    }))) {
      assertEquals(
          List.of("42 held a", "43 released lock-0"),
          watch("--endpoints", silent.address() + "," + full.address() + "," + well.address()));
      assertEquals(43, well.requests.get(0).getStartRevision());
      assertEquals(1, silent.requests.stream().filter(WatchRequest::getInitialState).count());
    }
  }

  private static void refuseForLackOfRoom(StreamObserver<WatchResponse> observer) {
    ErrorInfo why =
        ErrorInfo.newBuilder().setDomain("coordinator.dev").setReason("LIMIT_REACHED").build();
    observer.onError(
        StatusProto.toStatusRuntimeException(
            com.google.rpc.Status.newBuilder()
                .setCode(Code.RESOURCE_EXHAUSTED_VALUE)
                .addDetails(Any.pack(why))
                .build()));
  }
}
