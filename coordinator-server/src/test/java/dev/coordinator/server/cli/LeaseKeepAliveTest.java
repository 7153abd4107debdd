// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RenewLeaseResponse;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How {@code coordinator lease keep-alive} goes through an outage. */
class LeaseKeepAliveTest {

  @TempDir private Path directory;

  /** The command in a thread of its own, and what it has said so far. */
  private static final class KeepAlive {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    private final Thread thread;

    KeepAlive(String endpoint, String lease) {
      thread =
          new Thread(
              () ->
                  exitCode.complete(
                      CoordinatorCommand.run(
                          new PrintWriter(out, true),
                          new PrintWriter(err, true),
                          "lease",
                          "keep-alive",
                          lease,
                          "--timeout",
                          "2s",
                          "--endpoints",
                          endpoint)));
      thread.start();
    }

    private void awaitRenewals(int count) {
      InProcessCluster.await(
          "renewal " + count,
          () -> {
            assertFalse(exitCode.isDone(), this::all);
            return out.toString().lines().count() >= count;
          });
    }

    private void awaitWarning() {
      InProcessCluster.await(
          "a word on the outage",
          () -> {
            assertFalse(exitCode.isDone(), this::all);
            return err.toString().contains("could not be renewed, trying again: ");
          });
    }

    private int awaitEnd() throws Exception {
      return exitCode.get(60, TimeUnit.SECONDS);
    }

    private String all() {
      return out + "\n" + err;
    }
  }

  @Test
  void aLeaseIsKeptThroughAnOutageThatItOutlives() throws Exception {
    try (InProcessCluster cluster = InProcessCluster.start(directory, 1, Map.of())) {
      cluster.awaitLeader();
      String endpoint = cluster.clientAddress(1);
      String lease =
          Run.of("lease", "grant", "--ttl", "45s", "--endpoints", endpoint, "-o", "json")
              .ok()
              .json()
              .path("leaseId")
              .asText();
      KeepAlive command = new KeepAlive(endpoint, lease);
      command.awaitRenewals(1);
      cluster.stop(1);
      command.awaitWarning();
      cluster.start(1);
      command.awaitRenewals(2);
      assertEquals(1, command.err.toString().lines().count(), command::all);

      assertTrue(
          InProcessCluster.retry(
                  () ->
                      cluster
                          .leases(1)
                          .getLease(
                              GetLeaseRequest.newBuilder()
                                  .setLeaseId(Long.parseLong(lease))
                                  .build()))
              .hasLease());
      command.thread.interrupt();
      assertEquals(ExitCode.FAILED, command.awaitEnd(), command::all);
    }
  }

  @Test
  void itEndsWhenTheLeaseMayHaveEnded() throws Exception {
    AtomicInteger answers = new AtomicInteger();
    Server member =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(
                new LeaseServiceGrpc.LeaseServiceImplBase() {
                  @Override
                  public void renewLease(
                      RenewLeaseRequest request, StreamObserver<RenewLeaseResponse> observer) {
                    if (answers.getAndIncrement() == 0) {
                      observer.onNext(
                          RenewLeaseResponse.newBuilder()
                              .setTtl(Duration.newBuilder().setSeconds(9))
                              .build());
                      observer.onCompleted();
                    } else {
                      observer.onError(Status.UNAVAILABLE.asRuntimeException());
                    }
                  }
                })
            .build()
            .start();
    try {
      KeepAlive command = new KeepAlive("127.0.0.1:" + member.getPort(), "17");
      assertEquals(ExitCode.UNAVAILABLE, command.awaitEnd(), command::all);
      assertEquals(1, command.out.toString().lines().count(), command::all);
      assertEquals(2, command.err.toString().lines().count(), command::all);
      assertTrue(command.err.toString().contains("lease 17 may have ended"), command::all);
    } finally {
      member.shutdownNow();
    }
  }
}
