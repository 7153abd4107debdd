// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.CheckSequencerResponse;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.GetLeaseResponse;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.ListLeasesRequest;
import dev.coordinator.v1.ListLeasesResponse;
import dev.coordinator.v1.ListLocksRequest;
import dev.coordinator.v1.ListLocksResponse;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RenewLeaseResponse;
import dev.coordinator.v1.ResponseHeader;
import dev.coordinator.v1.RevokeLeaseRequest;
import dev.coordinator.v1.RevokeLeaseResponse;
import io.grpc.MethodDescriptor;
import java.util.function.Function;

/** A unary method, with the way to the header of its response. */
public record Rpc<Q, R>(MethodDescriptor<Q, R> method, Function<R, ResponseHeader> header) {

  public static final Rpc<GrantLeaseRequest, GrantLeaseResponse> GRANT_LEASE =
      new Rpc<>(LeaseServiceGrpc.getGrantLeaseMethod(), GrantLeaseResponse::getHeader);
  public static final Rpc<RevokeLeaseRequest, RevokeLeaseResponse> REVOKE_LEASE =
      new Rpc<>(LeaseServiceGrpc.getRevokeLeaseMethod(), RevokeLeaseResponse::getHeader);
  public static final Rpc<RenewLeaseRequest, RenewLeaseResponse> RENEW_LEASE =
      new Rpc<>(LeaseServiceGrpc.getRenewLeaseMethod(), RenewLeaseResponse::getHeader);
  public static final Rpc<GetLeaseRequest, GetLeaseResponse> GET_LEASE =
      new Rpc<>(LeaseServiceGrpc.getGetLeaseMethod(), GetLeaseResponse::getHeader);
  public static final Rpc<ListLeasesRequest, ListLeasesResponse> LIST_LEASES =
      new Rpc<>(LeaseServiceGrpc.getListLeasesMethod(), ListLeasesResponse::getHeader);
  public static final Rpc<AcquireLockRequest, AcquireLockResponse> ACQUIRE_LOCK =
      new Rpc<>(LockServiceGrpc.getAcquireLockMethod(), AcquireLockResponse::getHeader);
  public static final Rpc<ReleaseLockRequest, ReleaseLockResponse> RELEASE_LOCK =
      new Rpc<>(LockServiceGrpc.getReleaseLockMethod(), ReleaseLockResponse::getHeader);
  public static final Rpc<GetLockRequest, GetLockResponse> GET_LOCK =
      new Rpc<>(LockServiceGrpc.getGetLockMethod(), GetLockResponse::getHeader);
  public static final Rpc<ListLocksRequest, ListLocksResponse> LIST_LOCKS =
      new Rpc<>(LockServiceGrpc.getListLocksMethod(), ListLocksResponse::getHeader);
  public static final Rpc<CheckSequencerRequest, CheckSequencerResponse> CHECK_SEQUENCER =
      new Rpc<>(LockServiceGrpc.getCheckSequencerMethod(), CheckSequencerResponse::getHeader);
  public static final Rpc<GetStatusRequest, GetStatusResponse> GET_STATUS =
      new Rpc<>(ClusterServiceGrpc.getGetStatusMethod(), GetStatusResponse::getHeader);
  public static final Rpc<ListMembersRequest, ListMembersResponse> LIST_MEMBERS =
      new Rpc<>(ClusterServiceGrpc.getListMembersMethod(), ListMembersResponse::getHeader);
}
