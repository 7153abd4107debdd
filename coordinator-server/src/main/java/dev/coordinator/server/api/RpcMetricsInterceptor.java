// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.metrics.RpcMetrics;
import dev.coordinator.server.ports.TimeSource;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/** Counts and times every call, whoever answers it. */
final class RpcMetricsInterceptor implements ServerInterceptor {

  private final RpcMetrics metrics;
  private final TimeSource time;

  RpcMetricsInterceptor(RpcMetrics metrics, TimeSource time) {
    this.metrics = metrics;
    this.time = time;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    var measured = new MeasuredCall<>(call);
    return new SimpleForwardingServerCallListener<>(next.startCall(measured, headers)) {
      @Override
      public void onComplete() {
        measured.ended(measured.status);
        super.onComplete();
      }

      @Override
      public void onCancel() {
        measured.ended(measured.status == null ? Status.CANCELLED : measured.status);
        super.onCancel();
      }
    };
  }

  private final class MeasuredCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

    private final String service;
    private final String method;
    private final boolean unary;
    private final long startNanos = time.nanoTime();
    private volatile Status status;

    MeasuredCall(ServerCall<Q, R> call) {
      super(call);
      MethodDescriptor<Q, R> descriptor = call.getMethodDescriptor();
      service = descriptor.getServiceName();
      method = descriptor.getBareMethodName();
      unary = descriptor.getType() == MethodType.UNARY;
      if (!unary) {
        metrics.streamBegan(service, method);
      }
    }

    @Override
    public void close(Status closingStatus, Metadata trailers) {
      status = closingStatus;
      super.close(closingStatus, trailers);
    }

    void ended(Status finalStatus) {
      String code = finalStatus.getCode().name();
      if (unary) {
        metrics.unaryEnded(service, method, code, time.nanoTime() - startNanos);
      } else {
        metrics.streamEnded(service, method, code);
      }
    }
  }
}
