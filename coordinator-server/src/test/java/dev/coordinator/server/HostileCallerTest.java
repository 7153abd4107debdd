// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.RaftServiceGrpc;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.LockServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Codec;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What callers do wrong is answered, harms nobody else, and cannot fill the log. */
class HostileCallerTest {

  private static final byte[] TRUNCATED = {0x0a, 0x20, 'a', 'b'};
  private static final byte[] INVALID_UTF8 = {0x0a, 0x02, (byte) 0xc3, (byte) 0x28};

  @TempDir static Path directory;
  private static InProcessCluster cluster;
  private static final LogCapture captured = new LogCapture();

  @BeforeAll
  static void start() throws Exception {
    Logging.install();
    captured.start();
    rootLogger().addAppender(captured);
    cluster = InProcessCluster.start(directory, 1, Map.of("grpc.handshakeTimeout", "200ms"));
    cluster.awaitLeader();
  }

  @AfterAll
  static void stop() {
    rootLogger().detachAppender(captured);
    cluster.close();
  }

  @BeforeEach
  void forget() {
    captured.events.clear();
  }

  @AfterEach
  void othersAreServedAndTheLogStaysClean() throws Exception {
    assertFalse(
        cluster.locks(1).getLock(GetLockRequest.newBuilder().setName("other").build()).hasLock());
    LoggerContext production = productionLogging();
    for (ILoggingEvent event : captured.events) {
      boolean shown = production.getLogger(event.getLoggerName()).isEnabledFor(event.getLevel());
      assertFalse(shown, () -> event.getLoggerName() + " logs " + event.getFormattedMessage());
    }
  }

  @Test
  void aTruncatedMessageIsAnInvalidArgument() {
    assertEquals(Status.Code.INVALID_ARGUMENT, callRaw("GetLock", TRUNCATED).getCode());
  }

  @Test
  void invalidUtf8IsAnInvalidArgument() {
    assertEquals(Status.Code.INVALID_ARGUMENT, callRaw("AcquireLock", INVALID_UTF8).getCode());
  }

  @Test
  void aMessageOverTheLimitExhaustsAResource() {
    Status status = callRaw("GetLock", new byte[100_000]);
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, status.getCode());
  }

  @Test
  void aCompressedBombExhaustsAResource() {
    var call = CallOptions.DEFAULT.withCompression(new Codec.Gzip().getMessageEncoding());
    byte[] bomb = GetLockRequest.newBuilder().setName("a".repeat(10 << 20)).build().toByteArray();
    Status status = callRaw(cluster.channel(1), rawLockMethod("GetLock"), call, bomb);
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, status.getCode());
  }

  @Test
  void keepAlivesOfAThousandLeasesFitTheLimit() {
    var request = dev.coordinator.v1.KeepAliveRequest.newBuilder();
    for (int i = 0; i < 1_000; i++) {
      request.addLeaseIds(Long.MAX_VALUE - i);
    }
    assertTrue(request.build().getSerializedSize() < 64 << 10);
  }

  @Test
  void unknownMethodsAndTheServiceOfMembersAreUnimplementedForClients() {
    assertEquals(Status.Code.UNIMPLEMENTED, callRaw("NoSuchMethod", new byte[0]).getCode());
    var raft = RaftServiceGrpc.newBlockingStub(cluster.channel(1));
    var refusal =
        assertThrows(
            StatusRuntimeException.class,
            () -> raft.requestVote(RequestVoteRequest.getDefaultInstance()));
    assertEquals(Status.Code.UNIMPLEMENTED, refusal.getStatus().getCode());
  }

  @Test
  void thePeerPortServesNoClients() {
    assertEquals(Status.Code.PERMISSION_DENIED, callPeerPort(new Metadata()));

    byte[] fromNobody =
        Envelope.newBuilder().setClusterId("test").setFrom(9).setTo(1).build().toByteArray();
    assertEquals(Status.Code.PERMISSION_DENIED, callPeerPort(markedAs(fromNobody)));
    assertEquals(Status.Code.INVALID_ARGUMENT, callPeerPort(markedAs(TRUNCATED)));
  }

  private static Metadata markedAs(byte[] forwarded) {
    var mark = new Metadata();
    mark.put(
        Metadata.Key.of("coordinator-forwarded-bin", Metadata.BINARY_BYTE_MARSHALLER), forwarded);
    return mark;
  }

  private static Status.Code callPeerPort(Metadata headers) {
    ManagedChannel channel = open(cluster.peerAddress(1));
    try {
      var leases =
          LeaseServiceGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
      return assertThrows(
              StatusRuntimeException.class,
              () -> leases.grantLease(GrantLeaseRequest.getDefaultInstance()))
          .getStatus()
          .getCode();
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void whatComesAfterTheEndOfACallIsIgnored() throws Exception {
    byte[] noLeases = new byte[0];
    assertEquals(
        Status.Code.INVALID_ARGUMENT,
        streamRaw(
            cluster.clientAddress(1),
            LeaseServiceGrpc.getKeepAliveMethod().getFullMethodName(),
            noLeases,
            TRUNCATED));
    byte[] fromNobody = new byte[0];
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        streamRaw(
            cluster.peerAddress(1),
            RaftServiceGrpc.getAppendEntriesMethod().getFullMethodName(),
            fromNobody));
  }

  /** Sends all of these, and the end, before the first one can be answered. */
  private static Status.Code streamRaw(String address, String method, byte[]... messages)
      throws Exception {
    ManagedChannel channel = open(address);
    try {
      var end = new CompletableFuture<Status>();
      ClientCall<byte[], byte[]> call =
          channel.newCall(rawMethod(MethodType.BIDI_STREAMING, method), CallOptions.DEFAULT);
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onClose(Status status, Metadata trailers) {
              end.complete(status);
            }
          },
          new Metadata());
      for (byte[] message : messages) {
        call.sendMessage(message);
      }
      call.halfClose();
      return end.get(20, TimeUnit.SECONDS).getCode();
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void metadataOverTheLimitIsRefused() {
    var metadata = new Metadata();
    metadata.put(Metadata.Key.of("x-large", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(9_000));
    var locks =
        cluster.locks(1).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
    var refusal =
        assertThrows(
            StatusRuntimeException.class,
            () -> locks.getLock(GetLockRequest.newBuilder().setName("a").build()));
    assertFalse(refusal.getStatus().isOk());
  }

  @Test
  void aSilentConnectionIsClosed() throws IOException {
    assertClosedByServer(new byte[0]);
  }

  @Test
  void aConnectionThatSpeaksSomethingElseIsClosed() throws IOException {
    assertClosedByServer("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
  }

  private static void assertClosedByServer(byte[] bytes) throws IOException {
    String[] address = cluster.clientAddress(1).split(":");
    try (var socket = new Socket(address[0], Integer.parseInt(address[1]))) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(bytes);
      InputStream in = socket.getInputStream();
      while (in.read() >= 0) {
        // HTTP/2 frames that say why, then the end.
      }
    } catch (SocketTimeoutException e) {
      throw new AssertionError("the connection stays open", e);
    } catch (IOException reset) {
      // Closed without ceremony.
    }
  }

  private static Status callRaw(String method, byte[] bytes) {
    return callRaw(cluster.channel(1), rawLockMethod(method), CallOptions.DEFAULT, bytes);
  }

  private static Status callRaw(
      ManagedChannel channel,
      MethodDescriptor<byte[], byte[]> method,
      CallOptions options,
      byte[] bytes) {
    return assertThrows(
            StatusRuntimeException.class,
            () -> ClientCalls.blockingUnaryCall(channel, method, options, bytes))
        .getStatus();
  }

  private static MethodDescriptor<byte[], byte[]> rawLockMethod(String method) {
    return rawMethod(
        MethodType.UNARY,
        MethodDescriptor.generateFullMethodName(LockServiceGrpc.SERVICE_NAME, method));
  }

  private static MethodDescriptor<byte[], byte[]> rawMethod(MethodType type, String fullName) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type)
        .setFullMethodName(fullName)
        .setRequestMarshaller(BYTES)
        .setResponseMarshaller(BYTES)
        .build();
  }

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
          return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  private static ManagedChannel open(String address) {
    return Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
  }

  private static ch.qos.logback.classic.Logger rootLogger() {
    return ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }

  /** The configuration that the executable has; tests run with another one. */
  private static LoggerContext productionLogging() throws Exception {
    var context = new LoggerContext();
    var configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(HostileCallerTest.class.getResource("/logback.xml"));
    return context;
  }

  private static final class LogCapture extends AppenderBase<ILoggingEvent> {

    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();

    @Override
    protected void append(ILoggingEvent event) {
      events.add(event);
    }
  }
}
