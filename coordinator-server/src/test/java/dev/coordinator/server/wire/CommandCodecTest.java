// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import dev.coordinator.internal.v1.AcquireLock;
import dev.coordinator.internal.v1.CancelWait;
import dev.coordinator.internal.v1.Command;
import dev.coordinator.internal.v1.GrantLease;
import dev.coordinator.internal.v1.Pulse;
import dev.coordinator.internal.v1.ReleaseLock;
import dev.coordinator.internal.v1.RenewLeases;
import dev.coordinator.internal.v1.RequestId;
import dev.coordinator.internal.v1.RevokeLease;
import dev.coordinator.server.machine.RandomCommands;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class CommandCodecTest {

  private static final UnknownFieldSet UNKNOWN =
      UnknownFieldSet.newBuilder()
          .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
          .build();

  @Test
  void commandsSurviveTheWayThroughTheLog() {
    RandomCommands commands = new RandomCommands(new SplittableRandom(1));
    for (int i = 0; i < 2_000; i++) {
      dev.coordinator.server.machine.Command command =
          commands.next(List.of(Long.MAX_VALUE), List.of(Long.MAX_VALUE), List.of());
      assertEquals(command, CommandCodec.decode(CommandCodec.encode(command)));
    }
  }

  /** Logs outlive versions: these bytes must mean the same for ever. */
  @Test
  void bytesNeverChange() {
    byte[] bytes = HexFormat.of().parseHex("22180a016110ac021a01782088272a0468657265320408031002");
    dev.coordinator.server.machine.Command command =
        new dev.coordinator.server.machine.Command.AcquireLock(
            "a", 300, null, "x", 5_000, "here", new dev.coordinator.server.machine.RequestId(3, 2));

    assertArrayEquals(bytes, CommandCodec.encode(command));
    assertEquals(command, CommandCodec.decode(bytes));
  }

  @Test
  void randomBytesAreRefusedOrMeanSomething() {
    RandomGenerator random = new SplittableRandom(2);
    RandomCommands commands = new RandomCommands(random);
    int refused = 0;
    for (int i = 0; i < 60_000; i++) {
      byte[] bytes;
      if (random.nextBoolean()) {
        bytes = new byte[random.nextInt(40)];
        random.nextBytes(bytes);
      } else {
        bytes = CommandCodec.encode(commands.next(List.of(), List.of(), List.of())).clone();
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      try {
        dev.coordinator.server.machine.Command command = CommandCodec.decode(bytes);
        assertEquals(command, CommandCodec.decode(CommandCodec.encode(command)));
      } catch (IllegalArgumentException e) {
        refused++;
        assertTrue(e.getMessage().length() > 10, e.getMessage());
      }
    }
    assertTrue(refused > 30_000, refused + " refused");
  }

  @Test
  void refusalsNameFieldAndRule() {
    refused("command is one of the known kinds, not empty", Command.newBuilder());
    refused(
        "command has only known fields, not number 99",
        Command.newBuilder().setPulse(Pulse.getDefaultInstance()).setUnknownFields(UNKNOWN));
    refused(
        "pulse has only known fields, not number 99",
        Command.newBuilder().setPulse(Pulse.newBuilder().setUnknownFields(UNKNOWN)));
    refused(
        "ttl_ms is 1 ms to a century, not \"0\"",
        Command.newBuilder().setGrantLease(GrantLease.getDefaultInstance()));
    refused(
        "ttl_ms is 1 ms to a century, not \"-1\"",
        Command.newBuilder().setGrantLease(GrantLease.newBuilder().setTtlMs(-1)));
    refused(
        "grant_lease has only known fields, not number 99",
        Command.newBuilder()
            .setGrantLease(GrantLease.newBuilder().setTtlMs(1).setUnknownFields(UNKNOWN)));
    refused(
        "lease_id is 1 or more, not \"0\"",
        Command.newBuilder().setRevokeLease(RevokeLease.getDefaultInstance()));
    refused(
        "lease_ids are 1 or more, not \"-5\"",
        Command.newBuilder().setRenewLeases(RenewLeases.newBuilder().addLeaseIds(-5)));
    refused("name is not empty, not \"\"", acquire().setName(""));
    refused("lease_id is 1 or more without an own lease, not \"0\"", acquire().setLeaseId(0));
    refused(
        "lease_id is absent with an own lease, not \"1\"",
        acquire().setOwnLease(GrantLease.newBuilder().setTtlMs(1)));
    refused(
        "own_lease has only known fields, not number 99",
        acquire()
            .setLeaseId(0)
            .setOwnLease(GrantLease.newBuilder().setTtlMs(1).setUnknownFields(UNKNOWN)));
    refused(
        "wait_ms is absent or 0 ms to a century, not \"18446744073709551615\"",
        acquire().setWaitMs(-1));
    refused(
        "wait_ms is absent or 0 ms to a century, not \"9223372036854775807\"",
        acquire().setWaitMs(Long.MAX_VALUE));
    refused(
        "request_id.number is 1 or more if present, not 0",
        acquire().setRequestId(RequestId.getDefaultInstance()));
    refused(
        "request_id.number is 0 or more, not -2",
        acquire().setRequestId(RequestId.newBuilder().setNumber(-2)));
    refused(
        "request_id.acknowledged_below is 0 or more, not -2",
        acquire().setRequestId(RequestId.newBuilder().setNumber(1).setAcknowledgedBelow(-2)));
    refused(
        "token is 0 or more, not \"-1\"",
        Command.newBuilder()
            .setReleaseLock(ReleaseLock.newBuilder().setName("a").setLeaseId(1).setToken(-1)));
    refused(
        "acquire_index is 1 or more, not \"0\"",
        Command.newBuilder().setCancelWait(CancelWait.newBuilder().setName("a")));
  }

  private static AcquireLock.Builder acquire() {
    return AcquireLock.newBuilder().setName("a").setLeaseId(1);
  }

  private static void refused(String message, AcquireLock.Builder acquire) {
    refused(message, Command.newBuilder().setAcquireLock(acquire));
  }

  private static void refused(String message, Command.Builder command) {
    byte[] bytes = command.build().toByteArray();
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> CommandCodec.decode(bytes))
            .getMessage());
  }
}
