// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.metrics.LimitMetrics;
import dev.coordinator.server.metrics.RpcMetrics;
import dev.coordinator.server.metrics.SequencerMetrics;
import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.storage.snapshot.FileSnapshotStore;
import dev.coordinator.server.transport.CallGuard;
import dev.coordinator.server.transport.ForwardedCalls;
import dev.coordinator.server.transport.Forwarding;
import dev.coordinator.server.transport.LeaderHint;
import dev.coordinator.server.transport.Leadership;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.LockServiceGrpc;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The services for clients, on the client port and for calls that other members pass on. Every call
 * passes, from the outside in: the measuring, the guard against malformed messages, the check that
 * it is meant for this cluster, the leader's address for the answer, and, where only the leader can
 * answer, the way there: commands go to the leader, reads are answered by whoever is asked. Calls
 * that were passed on are measured where the client asked, and not again at the leader.
 */
public final class ClientServices {

  /** The methods that any member answers itself, by their full names. */
  public static final Set<String> ANYWHERE =
      Stream.of(
              LeaseServiceGrpc.getGetLeaseMethod(),
              LeaseServiceGrpc.getListLeasesMethod(),
              LockServiceGrpc.getGetLockMethod(),
              LockServiceGrpc.getListLocksMethod(),
              LockServiceGrpc.getCheckSequencerMethod(),
              ClusterServiceGrpc.getGetStatusMethod(),
              ClusterServiceGrpc.getListMembersMethod(),
              ClusterServiceGrpc.getSnapshotMethod())
          .map(MethodDescriptor::getFullMethodName)
          .collect(Collectors.toUnmodifiableSet());

  /** The methods to which a leader answers when another member has taken over. */
  public static final Set<String> ENDING_LEADERSHIP =
      Set.of(ClusterServiceGrpc.getTransferLeadershipMethod().getFullMethodName());

  /**
   * What the services share.
   *
   * @param snapshotReader reads snapshots for backups, one part after the other; owned by the
   *     caller
   * @param scheduler owned by the caller
   */
  public record Parts(
      CoordinatorNode node,
      Leadership leadership,
      Forwarding forwarding,
      ForwardedCalls forwardedCalls,
      FileSnapshotStore snapshots,
      Executor snapshotReader,
      TimeSource time,
      ScheduledExecutorService scheduler) {}

  private final Parts parts;
  private final ServerInterceptor measuring;
  private final ServerInterceptor clusterCheck;
  private final List<ServerServiceDefinition> definitions;
  private final List<ServerServiceDefinition> forwarded;

  public ClientServices(
      ApiSettings settings,
      Parts parts,
      RpcMetrics rpcMetrics,
      SequencerMetrics sequencers,
      LimitMetrics limits) {
    this.parts = parts;
    this.measuring = new RpcMetricsInterceptor(rpcMetrics, parts.time());
    this.clusterCheck = new ClusterCheck(settings.clusterId());
    var node = parts.node();
    var headers = new Headers(settings);
    var statuses = new Statuses(parts.leadership(), limits);
    var leases = new LeaseApi(node, settings, headers, statuses);
    var locks = new LockApi(node, settings, headers, statuses, sequencers);
    var cluster =
        new ClusterApi(
            node,
            settings,
            headers,
            statuses,
            parts.leadership(),
            parts.snapshots(),
            parts.snapshotReader(),
            parts.time());
    definitions =
        List.of(
            atLeader(leases),
            atLeader(locks),
            here(new WatchApi(node, settings, headers, statuses, parts.scheduler())),
            atLeader(cluster));
    forwarded = List.of(passedOn(leases), passedOn(locks), passedOn(cluster));
  }

  /** What the client port serves. */
  public List<ServerServiceDefinition> definitions() {
    return definitions;
  }

  /** What the peer port serves: calls that another member has passed on. */
  public List<ServerServiceDefinition> forwarded() {
    return forwarded;
  }

  private ServerServiceDefinition atLeader(BindableService service) {
    return measured(ServerInterceptors.intercept(service, parts.forwarding()));
  }

  private ServerServiceDefinition passedOn(BindableService service) {
    return guarded(ServerInterceptors.intercept(service, parts.forwardedCalls()));
  }

  private ServerServiceDefinition here(BindableService service) {
    return measured(service.bindService());
  }

  private ServerServiceDefinition measured(ServerServiceDefinition service) {
    return ServerInterceptors.intercept(guarded(service), measuring);
  }

  private ServerServiceDefinition guarded(ServerServiceDefinition service) {
    var hinting = ServerInterceptors.intercept(service, new LeaderHint(parts.leadership()));
    var checked = ServerInterceptors.intercept(hinting, clusterCheck);
    return CallGuard.protect(checked);
  }
}
