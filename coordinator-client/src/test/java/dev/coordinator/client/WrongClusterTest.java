// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.WatchRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Addresses that lead to members of another cluster. */
class WrongClusterTest {

  private static final Duration TTL = Duration.ofSeconds(30);

  private final FakeCluster ours = new FakeCluster("ours", 3);
  private final FakeCluster other = new FakeCluster("other", 1);

  @AfterEach
  void stop() {
    ours.close();
    other.close();
  }

  private CoordinatorClient client(String... endpoints) {
    return ours.client().endpoints(List.of(endpoints)).build();
  }

  @Test
  void aLeaderWhoseAddressLeadsToAnotherClusterIsReachedThroughTheOthers() throws Exception {
    ours.tellAddress(2, other.address(1));
    ours.elect(2);
    try (CoordinatorClient client = client(ours.address(1))) {
      client.locks().get("a");
      Eventually.until(
          "the wrong address is known",
          () -> client.cluster().knownAddresses().contains(other.address(1)));
      try (Session session = client.newSession(TTL)) {
        for (int i = 0; i < 20; i++) {
          session.lock("a").acquire().release().get(10, TimeUnit.SECONDS);
        }
      }
      assertEquals(20, ours.requests(AcquireLockRequest.class).stream().distinct().count());
      assertNothingCameTo(other);
      CoordinatorException refused =
          assertThrows(UnavailableException.class, () -> client.cluster().status(other.address(1)));
      assertEquals(Reason.WRONG_CLUSTER, refused.reason());
      assertEquals("other", refused.details().get("cluster_id"));
    }
  }

  private static void assertNothingCameTo(FakeCluster cluster) {
    assertEquals(List.of(), cluster.requests(GrantLeaseRequest.class));
    assertEquals(List.of(), cluster.requests(AcquireLockRequest.class));
    assertEquals(List.of(), cluster.requests(GetLockRequest.class));
    assertEquals(List.of(), cluster.requests(KeepAliveRequest.class));
    assertEquals(List.of(), cluster.requests(WatchRequest.class));
  }

  @Test
  void theFirstAnswerDecidesWhichClusterItIs() {
    try (CoordinatorClient client = client(ours.address(1), other.address(1))) {
      client.locks().get("a");
      int askedOurs = ours.requests(GetLockRequest.class).size();
      int askedOther = other.requests(GetLockRequest.class).size();
      for (int i = 0; i < 10; i++) {
        client.locks().get("b");
      }
      askedOurs = ours.requests(GetLockRequest.class).size() - askedOurs;
      askedOther = other.requests(GetLockRequest.class).size() - askedOther;
      assertEquals(0, Math.min(askedOurs, askedOther));
      assertEquals(10, Math.max(askedOurs, askedOther));
    }
  }

  @Test
  void aClusterThatIsGoneIsNotReplacedByAnother() {
    try (CoordinatorClient client =
        ours.client()
            .endpoints(List.of(ours.address(1)))
            .callTimeout(Duration.ofMillis(500))
            .build()) {
      client.locks().get("a");
      ours.tellAddress(2, other.address(1));
      ours.elect(2);
      client.locks().get("a");
      for (int member = 1; member <= 3; member++) {
        ours.member(member).kill();
      }
      assertThrows(UnavailableException.class, () -> client.locks().get("a"));
      assertNothingCameTo(other);
    }
  }

  @Test
  void aWatchStaysWithTheCluster() throws Exception {
    ours.tellAddress(2, other.address(1));
    BlockingQueue<Long> states = new LinkedBlockingQueue<>();
    try (CoordinatorClient client = client(ours.address(1))) {
      client.locks().get("a");
      Eventually.until(
          "the wrong address is known",
          () -> client.cluster().knownAddresses().contains(other.address(1)));
      for (int i = 0; i < 6; i++) {
        try (Watch watch =
            client.watchPrefix(
                "",
                new WatchListener() {
                  @Override
                  public void onState(List<LockInfo> locks, long revision) {
                    states.add(revision);
                  }

                  @Override
                  public void onEvent(LockEvent event) {}
                })) {
          assertTrue(states.poll(10, TimeUnit.SECONDS) != null, "the watch did not begin");
        }
      }
      assertNothingCameTo(other);
    }
  }
}
