// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.LockServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Test;

/** Over a real connection, since those in one process have no limit. */
class LargeAnswerTest {

  private static final int SIZE = 5 << 20;

  private static final class Locks extends LockServiceGrpc.LockServiceImplBase {
    @Override
    public void getLock(GetLockRequest request, StreamObserver<GetLockResponse> observer) {
      LockHolder holder = LockHolder.newBuilder().setMetadata("m".repeat(SIZE)).build();
      observer.onNext(
          GetLockResponse.newBuilder()
              .setLock(Lock.newBuilder().setName(request.getName()).setHolder(holder))
              .build());
      observer.onCompleted();
    }
  }

  @Test
  void anAnswerMayBeLargerThanWhatGrpcAcceptsByDefault() throws Exception {
    Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new Locks())
            .build()
            .start();
    try (CoordinatorClient client = CoordinatorClient.connect("127.0.0.1:" + server.getPort())) {
      LockInfo lock = client.locks().get("a").orElseThrow();
      assertEquals(SIZE, lock.holder().orElseThrow().metadata().length());
    } finally {
      server.shutdownNow().awaitTermination();
    }
  }
}
