// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.Blocking;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.ProtoRecords;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.ListLeasesRequest;
import dev.coordinator.v1.ListLeasesResponse;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RevokeLeaseRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The bare lease calls, for tools. An application wants a {@link Session}, which keeps its lease
 * alive and knows when not to trust it.
 *
 * <p>The calls wait for their answer and throw {@link CoordinatorException}; an interrupt ends the
 * wait with {@link CoordinatorException.Reason#INTERRUPTED}. Thread-safe.
 */
public final class LeaseOperations {

  private static final int PAGE_SIZE = 1_000;

  private final ClientCore core;

  LeaseOperations(ClientCore core) {
    this.core = core;
  }

  /** Creates a lease that nobody keeps alive. */
  public LeaseGrant grant(Duration ttl, String owner) {
    GrantLeaseResponse response =
        Blocking.get(
            core.channel()
                .call(
                    Rpc.GRANT_LEASE,
                    GrantLeaseRequest.newBuilder()
                        .setTtl(ProtoRecords.duration(ttl))
                        .setOwner(owner)
                        .setNonce(UUID.randomUUID().toString())
                        .build(),
                    policy()));
    return new LeaseGrant(response.getLeaseId(), ProtoRecords.duration(response.getTtl()));
  }

  /**
   * Renews a lease once.
   *
   * @throws LeaseExpiredException if it is unknown or has ended
   */
  public LeaseGrant renew(long leaseId) {
    RenewLeaseRequest request = RenewLeaseRequest.newBuilder().setLeaseId(leaseId).build();
    return new LeaseGrant(
        leaseId,
        ProtoRecords.duration(
            Blocking.get(core.channel().call(Rpc.RENEW_LEASE, request, policy())).getTtl()));
  }

  /** Ends a lease and everything held on its behalf; false if it is unknown or has ended. */
  public boolean revoke(long leaseId) {
    RevokeLeaseRequest request = RevokeLeaseRequest.newBuilder().setLeaseId(leaseId).build();
    try {
      Blocking.get(core.channel().call(Rpc.REVOKE_LEASE, request, policy()));
      return true;
    } catch (LeaseExpiredException e) {
      return false;
    }
  }

  /** Describes a lease; empty if it is unknown or has ended. */
  public Optional<LeaseInfo> get(long leaseId) {
    GetLeaseRequest request = GetLeaseRequest.newBuilder().setLeaseId(leaseId).build();
    try {
      return Optional.of(
          ProtoRecords.lease(
              Blocking.get(core.channel().call(Rpc.GET_LEASE, request, policy())).getLease()));
    } catch (LeaseExpiredException e) {
      if (e.reason() == Reason.LEASE_NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Lists all leases by id. Read in pages, so the list as a whole is no snapshot of one moment. */
  public List<LeaseInfo> list() {
    List<LeaseInfo> leases = new ArrayList<>();
    long after = 0;
    boolean more = true;
    while (more) {
      ListLeasesResponse page =
          Blocking.get(
              core.channel()
                  .call(
                      Rpc.LIST_LEASES,
                      ListLeasesRequest.newBuilder()
                          .setAfterLeaseId(after)
                          .setPageSize(PAGE_SIZE)
                          .build(),
                      policy()));
      page.getLeasesList().forEach(lease -> leases.add(ProtoRecords.lease(lease)));
      more = page.getMore() && page.getLeasesCount() > 0;
      after = more ? page.getLeases(page.getLeasesCount() - 1).getLeaseId() : after;
    }
    return leases;
  }

  private CallPolicy policy() {
    return CallPolicy.repeatable(core.callTimeout());
  }
}
