// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.function.Consumer;

/**
 * A call whose answer carries something in its metadata: in the headers, or in the trailers if it
 * ends without any.
 */
public final class AnnotatedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

  private final Consumer<Metadata> annotation;
  private boolean annotated;

  public AnnotatedCall(ServerCall<Q, R> call, Consumer<Metadata> annotation) {
    super(call);
    this.annotation = annotation;
  }

  @Override
  public void sendHeaders(Metadata headers) {
    annotate(headers);
    super.sendHeaders(headers);
  }

  @Override
  public void close(Status status, Metadata trailers) {
    if (!annotated) {
      annotate(trailers);
    }
    super.close(status, trailers);
  }

  private void annotate(Metadata metadata) {
    annotated = true;
    annotation.accept(metadata);
  }
}
