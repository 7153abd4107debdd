// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.coordinator.internal.v1.AcquireLock;
import dev.coordinator.internal.v1.CancelWait;
import dev.coordinator.internal.v1.GrantLease;
import dev.coordinator.internal.v1.Pulse;
import dev.coordinator.internal.v1.ReleaseLock;
import dev.coordinator.internal.v1.RenewLeases;
import dev.coordinator.internal.v1.RequestId;
import dev.coordinator.internal.v1.RevokeLease;
import dev.coordinator.server.machine.Command;

/**
 * Commands to the bytes of a log entry and back.
 *
 * <p>A field that is not known is refused, never skipped: a newer member wrote it, and one that
 * skipped it would hold another state from there on.
 */
public final class CommandCodec {

  private static final Encoder ENCODER = new Encoder();

  private CommandCodec() {}

  public static byte[] encode(Command command) {
    return command.accept(ENCODER).toByteArray();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule if the bytes are not a command:
   *     the log is damaged, or a newer member wrote it
   */
  public static Command decode(byte[] payload) {
    dev.coordinator.internal.v1.Command message;
    try {
      message = dev.coordinator.internal.v1.Command.parseFrom(payload);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("command is not a protobuf message: " + e.getMessage(), e);
    }
    Fields.requireKnownFields(message, "command");
    return switch (message.getCommandCase()) {
      case GRANT_LEASE -> grantLease(message.getGrantLease(), "grant_lease");
      case REVOKE_LEASE -> revokeLease(message.getRevokeLease());
      case RENEW_LEASES -> renewLeases(message.getRenewLeases());
      case ACQUIRE_LOCK -> acquireLock(message.getAcquireLock());
      case RELEASE_LOCK -> releaseLock(message.getReleaseLock());
      case CANCEL_WAIT -> cancelWait(message.getCancelWait());
      case PULSE -> {
        Fields.requireKnownFields(message.getPulse(), "pulse");
        yield Command.Pulse.INSTANCE;
      }
      case COMMAND_NOT_SET ->
          throw new IllegalArgumentException("command is one of the known kinds, not empty");
    };
  }

  private static Command.GrantLease grantLease(GrantLease message, String field) {
    Fields.requireKnownFields(message, field);
    return new Command.GrantLease(message.getTtlMs(), message.getOwner(), message.getNonce());
  }

  private static Command revokeLease(RevokeLease message) {
    Fields.requireKnownFields(message, "revoke_lease");
    return new Command.RevokeLease(message.getLeaseId());
  }

  private static Command renewLeases(RenewLeases message) {
    Fields.requireKnownFields(message, "renew_leases");
    return new Command.RenewLeases(message.getLeaseIdsList());
  }

  private static Command acquireLock(AcquireLock message) {
    Fields.requireKnownFields(message, "acquire_lock");
    if (message.hasWaitMs() && message.getWaitMs() < 0) {
      throw new IllegalArgumentException(
          "wait_ms is absent or 0 ms to a century, not \""
              + Long.toUnsignedString(message.getWaitMs())
              + "\"");
    }
    return new Command.AcquireLock(
        message.getName(),
        message.getLeaseId(),
        message.hasOwnLease() ? grantLease(message.getOwnLease(), "own_lease") : null,
        message.getOwner(),
        message.hasWaitMs() ? message.getWaitMs() : Command.AcquireLock.UNLIMITED,
        message.getMetadata(),
        requestId(message.hasRequestId(), message.getRequestId()));
  }

  private static Command releaseLock(ReleaseLock message) {
    Fields.requireKnownFields(message, "release_lock");
    return new Command.ReleaseLock(
        message.getName(),
        message.getLeaseId(),
        message.getOwner(),
        message.getToken(),
        requestId(message.hasRequestId(), message.getRequestId()));
  }

  private static Command cancelWait(CancelWait message) {
    Fields.requireKnownFields(message, "cancel_wait");
    return new Command.CancelWait(message.getName(), message.getAcquireIndex());
  }

  private static dev.coordinator.server.machine.RequestId requestId(
      boolean present, RequestId message) {
    if (!present) {
      return dev.coordinator.server.machine.RequestId.NONE;
    }
    Fields.requireKnownFields(message, "request_id");
    if (message.getNumber() == 0) {
      throw new IllegalArgumentException("request_id.number is 1 or more if present, not 0");
    }
    return new dev.coordinator.server.machine.RequestId(
        message.getNumber(), message.getAcknowledgedBelow());
  }

  private static final class Encoder
      implements Command.Visitor<dev.coordinator.internal.v1.Command> {

    private static dev.coordinator.internal.v1.Command.Builder message() {
      return dev.coordinator.internal.v1.Command.newBuilder();
    }

    private static GrantLease encode(Command.GrantLease command) {
      return GrantLease.newBuilder()
          .setTtlMs(command.ttlMs())
          .setOwner(command.owner())
          .setNonce(command.nonce())
          .build();
    }

    private static RequestId encode(dev.coordinator.server.machine.RequestId requestId) {
      return RequestId.newBuilder()
          .setNumber(requestId.number())
          .setAcknowledgedBelow(requestId.acknowledgedBelow())
          .build();
    }

    @Override
    public dev.coordinator.internal.v1.Command grantLease(Command.GrantLease command) {
      return message().setGrantLease(encode(command)).build();
    }

    @Override
    public dev.coordinator.internal.v1.Command revokeLease(Command.RevokeLease command) {
      return message()
          .setRevokeLease(RevokeLease.newBuilder().setLeaseId(command.leaseId()))
          .build();
    }

    @Override
    public dev.coordinator.internal.v1.Command renewLeases(Command.RenewLeases command) {
      return message()
          .setRenewLeases(RenewLeases.newBuilder().addAllLeaseIds(command.leaseIds()))
          .build();
    }

    @Override
    public dev.coordinator.internal.v1.Command acquireLock(Command.AcquireLock command) {
      AcquireLock.Builder acquire =
          AcquireLock.newBuilder()
              .setName(command.name())
              .setLeaseId(command.leaseId())
              .setOwner(command.owner())
              .setMetadata(command.metadata());
      if (command.ownLease() != null) {
        acquire.setOwnLease(encode(command.ownLease()));
      }
      if (command.waitMs() != Command.AcquireLock.UNLIMITED) {
        acquire.setWaitMs(command.waitMs());
      }
      if (!command.requestId().isNone()) {
        acquire.setRequestId(encode(command.requestId()));
      }
      return message().setAcquireLock(acquire).build();
    }

    @Override
    public dev.coordinator.internal.v1.Command releaseLock(Command.ReleaseLock command) {
      ReleaseLock.Builder release =
          ReleaseLock.newBuilder()
              .setName(command.name())
              .setLeaseId(command.leaseId())
              .setOwner(command.owner())
              .setToken(command.token());
      if (!command.requestId().isNone()) {
        release.setRequestId(encode(command.requestId()));
      }
      return message().setReleaseLock(release).build();
    }

    @Override
    public dev.coordinator.internal.v1.Command cancelWait(Command.CancelWait command) {
      return message()
          .setCancelWait(
              CancelWait.newBuilder()
                  .setName(command.name())
                  .setAcquireIndex(command.acquireIndex()))
          .build();
    }

    @Override
    public dev.coordinator.internal.v1.Command pulse(Command.Pulse command) {
      return message().setPulse(Pulse.getDefaultInstance()).build();
    }
  }
}
