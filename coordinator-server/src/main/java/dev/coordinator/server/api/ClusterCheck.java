// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.transport.AnnotatedCall;
import dev.coordinator.server.wire.Failure;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status.Code;

/**
 * Names the cluster in the metadata of every answer, and refuses calls that name another one. A
 * client names the cluster that it means once it knows; a call that names none is let through.
 */
final class ClusterCheck implements ServerInterceptor {

  private static final Metadata.Key<String> CLUSTER =
      Metadata.Key.of("coordinator-cluster", Metadata.ASCII_STRING_MARSHALLER);

  private final String clusterId;

  ClusterCheck(String clusterId) {
    this.clusterId = clusterId;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    var naming = new AnnotatedCall<>(call, metadata -> metadata.put(CLUSTER, clusterId));
    String meant = headers.get(CLUSTER);
    if (meant == null || meant.equals(clusterId)) {
      return next.startCall(naming, headers);
    }
    Failure failure =
        Failure.of(
                Code.FAILED_PRECONDITION,
                ErrorReason.ERROR_REASON_WRONG_CLUSTER,
                "this is a member of cluster '" + clusterId + "'")
            .with("cluster_id", clusterId);
    naming.close(failure.status(), failure.trailers());
    return new ServerCall.Listener<>() {};
  }
}
