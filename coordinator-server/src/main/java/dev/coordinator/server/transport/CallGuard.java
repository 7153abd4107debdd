// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what callers do wrong into answers instead of log entries. gRPC answers UNKNOWN and logs a
 * stack trace both when bytes are not a message and when a handler throws; here the first is
 * INVALID_ARGUMENT, and the second is the status of the exception, if it has one.
 */
public final class CallGuard {

  private static final Logger log = LoggerFactory.getLogger(CallGuard.class);

  /** What bytes that are no message parse to: never seen by a handler. */
  private record Malformed(Status status) {}

  private CallGuard() {}

  /** The same service, guarded. */
  public static ServerServiceDefinition protect(ServerServiceDefinition service) {
    ServiceDescriptor original = service.getServiceDescriptor();
    var methods = service.getMethods().stream().map(CallGuard::protect).toList();
    var descriptor =
        ServiceDescriptor.newBuilder(original.getName())
            .setSchemaDescriptor(original.getSchemaDescriptor());
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    var definition = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(definition::addMethod);
    return definition.build();
  }

  private static <Q, R> ServerMethodDefinition<Object, R> protect(
      ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> original = method.getMethodDescriptor();
    ServerCallHandler<Q, R> handler = method.getServerCallHandler();
    var marshaller = new TolerantMarshaller<>(original.getRequestMarshaller());
    return ServerMethodDefinition.create(
        original.toBuilder(marshaller, original.getResponseMarshaller()).build(),
        (call, headers) -> {
          // Handlers use the request type of a call only through its method's marshaller.
          @SuppressWarnings("unchecked")
          var handlersCall = (ServerCall<Q, R>) call;
          var guarded = new GuardedCall<>(handlersCall);
          return new GuardedListener<>(guarded, handler.startCall(guarded, headers));
        });
  }

  /** Parses to a message or to {@link Malformed}, but never throws. */
  private record TolerantMarshaller<Q>(Marshaller<Q> delegate) implements Marshaller<Object> {

    @Override
    @SuppressWarnings("unchecked")
    public InputStream stream(Object message) {
      return delegate.stream((Q) message);
    }

    @Override
    public Object parse(InputStream bytes) {
      try {
        return delegate.parse(bytes);
      } catch (StatusRuntimeException e) {
        // Reading may run into a limit, for example of the size after decompression.
        boolean limit = e.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED;
        return new Malformed(limit ? e.getStatus() : malformed());
      } catch (RuntimeException e) {
        return new Malformed(malformed());
      }
    }

    private static Status malformed() {
      return Status.INVALID_ARGUMENT.withDescription(
          "the request is not a well-formed message of the type that this method takes");
    }
  }

  /** Remembers that the call was closed: gRPC goes on to deliver what the caller sends. */
  private static final class GuardedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

    private volatile boolean closed;

    GuardedCall(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      closed = true;
      super.close(status, trailers);
    }
  }

  /** Ends the call at the first malformed message and at the first exception. */
  private static final class GuardedListener<Q> extends ForwardingServerCallListener<Object> {

    private final GuardedCall<Q, ?> call;
    private final ServerCall.Listener<Q> handler;

    GuardedListener(GuardedCall<Q, ?> call, ServerCall.Listener<Q> handler) {
      this.call = call;
      this.handler = handler;
    }

    @Override
    @SuppressWarnings("unchecked")
    protected ServerCall.Listener<Object> delegate() {
      return (ServerCall.Listener<Object>) handler;
    }

    @Override
    public void onMessage(Object message) {
      if (message instanceof Malformed malformed) {
        refuse(malformed.status(), new Metadata());
      } else {
        guard(() -> super.onMessage(message));
      }
    }

    @Override
    public void onHalfClose() {
      guard(super::onHalfClose);
    }

    @Override
    public void onReady() {
      guard(super::onReady);
    }

    private void guard(Runnable handling) {
      if (call.closed) {
        return;
      }
      try {
        handling.run();
      } catch (StatusRuntimeException e) {
        Metadata trailers = e.getTrailers();
        refuse(e.getStatus(), trailers == null ? new Metadata() : trailers);
      } catch (RuntimeException e) {
        log.error("{} failed", call.getMethodDescriptor().getFullMethodName(), e);
        refuse(
            Status.INTERNAL.withDescription("the member failed to handle the call"),
            new Metadata());
      }
    }

    private void refuse(Status status, Metadata trailers) {
      if (!call.closed && !call.isCancelled()) {
        call.close(status, trailers);
      }
    }
  }
}
