// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.Blocking;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.ProtoRecords;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.ListMembersRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What the cluster tells of itself.
 *
 * <p>The calls wait for their answer and throw {@link CoordinatorException}; an interrupt ends the
 * wait with {@link CoordinatorException.Reason#INTERRUPTED}. Thread-safe.
 */
public final class ClusterOperations {

  private final ClientCore core;
  private final Duration memberTimeout;

  ClusterOperations(ClientCore core, Duration memberTimeout) {
    this.core = core;
    this.memberTimeout = memberTimeout;
  }

  /** The members of the cluster, as any one of them knows them. */
  public List<MemberInfo> members() {
    return Blocking.get(
            core.channel()
                .call(
                    Rpc.LIST_MEMBERS,
                    ListMembersRequest.getDefaultInstance(),
                    CallPolicy.repeatable(core.callTimeout())))
        .getMembersList()
        .stream()
        .map(ProtoRecords::member)
        .toList();
  }

  /**
   * How the member at this client address is doing. Asked once, and not passed on to others.
   *
   * @throws UnavailableException if it does not answer in time
   */
  public MemberStatus status(String address) {
    return ProtoRecords.status(Blocking.get(ask(address)));
  }

  /** As {@link #status}, to ask several members at once. */
  public CompletableFuture<MemberStatus> statusAsync(String address) {
    return core.handOver(ask(address), ProtoRecords::status, ignored -> {});
  }

  private CompletableFuture<GetStatusResponse> ask(String address) {
    return core.channel()
        .callMember(address, Rpc.GET_STATUS, GetStatusRequest.getDefaultInstance(), memberTimeout);
  }

  /** The addresses that this client was given and those that it has learned, as host:port. */
  public List<String> knownAddresses() {
    return core.channel().addresses();
  }
}
