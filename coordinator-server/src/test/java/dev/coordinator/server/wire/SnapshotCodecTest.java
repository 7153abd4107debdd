// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import com.google.protobuf.UnknownFieldSet;
import dev.coordinator.internal.v1.StoredClaim;
import dev.coordinator.internal.v1.StoredLease;
import dev.coordinator.internal.v1.StoredLock;
import dev.coordinator.internal.v1.StoredOutcome;
import dev.coordinator.internal.v1.StoredRequest;
import dev.coordinator.internal.v1.StoredSnapshot;
import dev.coordinator.server.machine.ApplyResult;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.LeaseState;
import dev.coordinator.server.machine.LeaseView;
import dev.coordinator.server.machine.ListedState;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.machine.RandomHistory;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SnapshotCodecTest {

  private static final UnknownFieldSet UNKNOWN =
      UnknownFieldSet.newBuilder()
          .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
          .build();

  /** Tables in memory, to be read and spoilt. */
  private static final class Tables implements SnapshotTables {
    final Map<String, List<Row>> rows = new TreeMap<>();

    Tables(SnapshotTables tables) {
      for (String table : NAMES) {
        rows.put(table, new ArrayList<>());
        tables.rows(table).forEachRemaining(rows.get(table)::add);
      }
    }

    @Override
    public Iterator<Row> rows(String table) {
      return rows.get(table).iterator();
    }

    void set(String table, byte[] key, MessageLite value) {
      rows.put(table, List.of(new Row(key, value.toByteArray())));
    }

    /** One line for each row. */
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      rows.forEach(
          (table, all) -> {
            for (Row row : all) {
              text.append(table).append(' ').append(HexFormat.of().formatHex(row.key()));
              text.append(' ').append(HexFormat.of().formatHex(row.value())).append('\n');
            }
          });
      return text.toString();
    }
  }

  private static SnapshotMeta meta(MachineState state) {
    return new SnapshotMeta(
        new LogPosition(state.appliedIndex(), 2),
        state.clusterTimeMs(),
        new Membership(List.of(new NodeId(1), new NodeId(2))),
        1);
  }

  private static Tables tables(MachineState state) {
    return new Tables(SnapshotCodec.encode(meta(state), state));
  }

  private static String describe(CoordinatorMachine machine) {
    StringBuilder text = new StringBuilder();
    machine.describe(text);
    return text.toString();
  }

  @Test
  void statesSurviveTheWayAndEqualOnesAreEqualBytes() {
    int bytes = 0;
    for (long seed = 1; seed <= 30; seed++) {
      RandomHistory history = new RandomHistory(seed);
      CoordinatorMachine machine = new CoordinatorMachine();
      CoordinatorMachine restored = new CoordinatorMachine();
      ApplyResult result = new ApplyResult();
      while (history.index() < 300) {
        history.advance();
        history.applyTo(machine, result);
        history.applyTo(restored, result);
        if (history.index() % 5 == 0) {
          MachineState state = machine.freeze();
          Tables tables = tables(state);
          assertEquals(tables.toString(), tables(restored.freeze()).toString());
          SnapshotCodec.Snapshot snapshot = SnapshotCodec.decode(tables);
          assertEquals(meta(state), snapshot.meta());
          assertEquals(meta(state), SnapshotCodec.decodeMeta(tables));
          restored = new CoordinatorMachine(snapshot.state());
          assertEquals(describe(machine), describe(restored), history.toString());
          bytes += tables.toString().length() / 2;
        }
      }
    }
    assertTrue(bytes > 150_000, "states must have content: " + bytes + " bytes");
  }

  private static MachineState example() {
    LockView.Holder holder = new LockView.Holder(3, "x", 4, "here", 70);
    List<LeaseState.RequestState> requests =
        List.of(
            new LeaseState.RequestState(2, -1, "a", "x", new Outcome.LockAcquired("a", 4, 3, true)),
            new LeaseState.RequestState(
                3, 1, "b", "", new Outcome.LockNotAcquired("b", true, holder)),
            new LeaseState.RequestState(
                4, 1, "b", "", new Outcome.LockNotAcquired("b", false, null)),
            new LeaseState.RequestState(5, 1, "c", "", new Outcome.LockReleased("c")),
            new LeaseState.RequestState(6, 1, "d", "", new Outcome.NotLockOwner("d", 0)),
            new LeaseState.RequestState(7, 1, "e", "", new Outcome.WaitCancelled("e")),
            new LeaseState.RequestState(8, 1, "\ud83d\udd12", "", null));
    List<LeaseState> leases =
        List.of(
            new LeaseState(3, "host", "", 1_000, 1_100, 0, 2, requests),
            new LeaseState(300, "", "n", 2_000, LeaseView.NO_DEADLINE, 300, 0, List.of()));
    LockState.ClaimState holding =
        new LockState.ClaimState(4, 3, "x", "here", 70, 4, LeaseView.NO_DEADLINE, 0, 0);
    LockState.ClaimState waiting = new LockState.ClaimState(9, 3, "", "", 80, 0, 500, 12, 8);
    LockState.ClaimState forEver =
        new LockState.ClaimState(300, 300, "", "", 90, 0, LeaseView.NO_DEADLINE, 300, 0);
    return new ListedState(
        300,
        100,
        leases,
        List.of(new LockState("\ud83d\udd12", holding, List.of(waiting, forEver))));
  }

  /** Snapshots outlive versions: these bytes must mean the same for ever. */
  @Test
  void bytesNeverChange() {
    String bytes =
        """
        leases 0000000000000003 \
        0a04686f737418e80720cc0830023a1b080211ffffffffffffffff1a01612201782a080a06080410031801\
        3a2508031101000000000000001a01622a1512130801120f0803120178180422046865726528463a120804\
        1101000000000000001a01622a0212003a1208051101000000000000001a01632a021a003a120806110100\
        0000000000001a01642a0222003a1208071101000000000000001a01652a022a003a110808110100000000\
        0000001a04f09f9492
        leases 000000000000012c 12016e18d00f28ac02
        locks f09f9492 \
        0a11080410031a017822046865726528463004120d08091003285038f403400c4808120b08ac0210ac0228\
        5a40ac02
        meta 736e617073686f74 0802121708ac0210021864220c0a0208010a02080212020102280118022001
        """;

    assertEquals(bytes, tables(example()).toString());
    assertEquals(
        describe(new CoordinatorMachine(example())),
        describe(new CoordinatorMachine(SnapshotCodec.decode(tables(example())).state())));
  }

  @Test
  void damagedRowsAreRefusedOrMeanSomething() {
    RandomGenerator random = new SplittableRandom(2);
    int refused = 0;
    for (int i = 0; i < 4_000; i++) {
      Tables tables = tables(example());
      List<SnapshotTables.Row> rows =
          tables.rows.get(SnapshotTables.NAMES.get(random.nextInt(SnapshotTables.NAMES.size())));
      SnapshotTables.Row row = rows.get(random.nextInt(rows.size()));
      byte[] damaged = random.nextInt(5) == 0 ? row.key() : row.value();
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      try {
        SnapshotCodec.Snapshot snapshot = SnapshotCodec.decode(tables);
        Tables again = new Tables(SnapshotCodec.encode(snapshot.meta(), snapshot.state()));
        assertEquals(
            again.toString(),
            new Tables(SnapshotCodec.encode(snapshot.meta(), SnapshotCodec.decode(again).state()))
                .toString());
      } catch (IllegalArgumentException e) {
        refused++;
        assertTrue(e.getMessage().startsWith("table "), e.getMessage());
      }
    }
    assertTrue(refused > 1_000, refused + " refused");
  }

  @Test
  void refusesAStateOfAnotherEntry() {
    MachineState state = example();
    SnapshotMeta meta = meta(state);

    assertEquals(
        "snapshot.last_index is that of the state, 300, not 301",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    SnapshotCodec.encode(
                        new SnapshotMeta(new LogPosition(301, 2), 100, meta.membership(), 1),
                        state))
            .getMessage());
    assertEquals(
        "snapshot.cluster_time_ms is that of the state, 100, not 99",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    SnapshotCodec.encode(
                        new SnapshotMeta(meta.last(), 99, meta.membership(), 1), state))
            .getMessage());
  }

  @Test
  void refusesOtherFormatsBeforeAnythingElse() {
    Tables tables = tables(example());
    tables.set(
        "meta",
        bytes("snapshot"),
        StoredSnapshot.newBuilder().setFormat(3).setUnknownFields(UNKNOWN).build());
    refused(
        "table meta, key \"snapshot\": format is 2, which is all that this version knows, not 3;"
            + " start the version that wrote it",
        tables);
  }

  @Test
  void refusesBrokenMetaData() {
    Tables none = tables(example());
    none.rows.put("meta", List.of());
    refused("table meta, key \"snapshot\": is present", none);

    Tables more = tables(example());
    more.rows.get("meta").add(new SnapshotTables.Row(bytes("x"), bytes("")));
    refused("table meta, key \"snapshot\": is alone and named snapshot", more);

    Tables other = tables(example());
    other.set("meta", bytes("x"), StoredSnapshot.getDefaultInstance());
    refused("table meta, key \"x\": is alone and named snapshot", other);

    Tables bare = tables(example());
    bare.set("meta", bytes("snapshot"), StoredSnapshot.newBuilder().setFormat(2).build());
    refused("table meta, key \"snapshot\": info is present, not absent", bare);

    Tables unknown = tables(example());
    unknown.set(
        "meta",
        bytes("snapshot"),
        StoredSnapshot.newBuilder().setFormat(2).setUnknownFields(UNKNOWN).build());
    refused("table meta, key \"snapshot\": snapshot has only known fields, not number 99", unknown);

    Tables early = tables(example());
    early.set(
        "meta",
        bytes("snapshot"),
        StoredSnapshot.newBuilder()
            .setFormat(2)
            .setInfo(MembershipCodec.encode(meta(example())).toBuilder().setLastIndex(299))
            .build());
    refused("table leases, key \"300\": rises from row to row, from 1 to 299", early);
  }

  @Test
  void refusesRowsThatAreMissingOrOutOfPlace() {
    Tables leases = tables(example());
    leases.rows.get("leases").remove(0);
    refused("table leases has the 2 rows that the meta data tells, not 1", leases);

    Tables order = tables(example());
    order.rows.get("leases").add(order.rows.get("leases").get(0));
    refused("table leases, key \"3\": rises from row to row, from 1 to 300", order);

    Tables length = tables(example());
    length.set("leases", new byte[4], StoredLease.getDefaultInstance());
    refused("table leases, key \"key\": has 8 bytes, not 4", length);

    Tables zero = tables(example());
    zero.set("leases", new byte[8], StoredLease.getDefaultInstance());
    refused("table leases, key \"0\": rises from row to row, from 1 to 300", zero);

    Tables locks = tables(example());
    locks.rows.get("locks").clear();
    refused("table locks has the 1 rows that the meta data tells, not 0", locks);

    Tables twice = tables(example());
    twice.rows.get("locks").add(twice.rows.get("locks").get(0));
    refused("table locks, key \"\ud83d\udd12\": rises from row to row and is not empty", twice);

    Tables empty = tables(example());
    empty.set("locks", new byte[0], StoredLock.getDefaultInstance());
    refused("table locks, key \"\": rises from row to row and is not empty", empty);

    Tables name = tables(example());
    name.set("locks", new byte[] {(byte) 0xff}, StoredLock.getDefaultInstance());
    refused("table locks, key \"ff\": is UTF-8", name);
  }

  @Test
  void refusesLeasesThatBreakARule() {
    refusedLease("lease has only known fields, not number 99", lease().setUnknownFields(UNKNOWN));
    refusedLease("ttl_ms is 1 to 9223372036854775807, not 0", lease().setTtlMs(0));
    refusedLease(
        "ttl_ms is 1 ms to a century, not 9223372036854775807", lease().setTtlMs(Long.MAX_VALUE));
    refusedLease(
        "deadline_ms is 0 to 9223372036854775807, not 18446744073709551615",
        lease().setDeadlineMs(-1));
    refusedLease(
        "made_for_claim_id is 0 to 9223372036854775807, not 18446744073709551615",
        lease().setMadeForClaimId(-1));
    refusedLease(
        "acknowledged_below is 0 to 9223372036854775807, not 18446744073709551615",
        lease().setAcknowledgedBelow(-1));
    refusedLease(
        "requests.lock_name is not empty, not \"\"",
        lease().addRequests(StoredRequest.newBuilder().setNumber(1)));
    refusedLease(
        "requests.number is 1 to 9223372036854775807, not 0",
        lease().addRequests(StoredRequest.getDefaultInstance()));
    refusedLease(
        "requests.number is 5 to 9223372036854775807, not 4",
        lease().setAcknowledgedBelow(5).addRequests(StoredRequest.newBuilder().setNumber(4)));
    refusedLease(
        "requests.number is 8 to 9223372036854775807, not 7",
        lease()
            .addRequests(StoredRequest.newBuilder().setNumber(7).setLockName("a"))
            .addRequests(StoredRequest.newBuilder().setNumber(7)));
    refusedLease(
        "requests has only known fields, not number 99",
        lease().addRequests(StoredRequest.newBuilder().setUnknownFields(UNKNOWN)));
    refusedOutcome("outcome is one of the known kinds, not empty", StoredOutcome.newBuilder());
    refusedOutcome(
        "outcome has only known fields, not number 99",
        StoredOutcome.newBuilder().setUnknownFields(UNKNOWN));
    refusedOutcome(
        "lock_acquired.token is 1 to 9223372036854775807, not 0",
        StoredOutcome.newBuilder().setLockAcquired(StoredOutcome.LockAcquired.newBuilder()));
    refusedOutcome(
        "not_lock_owner.present_token is 0 to 9223372036854775807, not 18446744073709551615",
        StoredOutcome.newBuilder()
            .setNotLockOwner(StoredOutcome.NotLockOwner.newBuilder().setPresentToken(-1)));
    refusedOutcome(
        "holder.lease_id is 1 to 9223372036854775807, not 0",
        StoredOutcome.newBuilder()
            .setLockNotAcquired(
                StoredOutcome.LockNotAcquired.newBuilder()
                    .setHolder(StoredOutcome.Holder.getDefaultInstance())));
  }

  @Test
  void refusesLocksThatBreakARule() {
    refusedLock("lock has only known fields, not number 99", lock().setUnknownFields(UNKNOWN));
    refusedLock("holder is present, not absent", lock().clearHolder());
    refusedLock("holder.id is 1 to 300, not 301", lock().setHolder(holder().setId(301)));
    refusedLock("holder.lease_id is 1 to 300, not 0", lock().setHolder(holder().setLeaseId(0)));
    refusedLock("holder.token is 1 to 300, not 0", lock().setHolder(holder().setToken(0)));
    refusedLock("holder.since_ms is 0 to 100, not 101", lock().setHolder(holder().setSinceMs(101)));
    refusedLock(
        "holder.deadline_ms is absent, not present", lock().setHolder(holder().setDeadlineMs(7)));
    refusedLock("holder.reply_index is 0, not 1", lock().setHolder(holder().setReplyIndex(1)));
    refusedLock(
        "holder.request_number is 0, not 1", lock().setHolder(holder().setRequestNumber(1)));
    refusedLock("waiters.token is 0, not 1", lock().addWaiters(waiter().setToken(1)));
    refusedLock(
        "waiters.reply_index is 1 to 300, not 0", lock().addWaiters(waiter().setReplyIndex(0)));
    refusedLock(
        "waiters.deadline_ms is 101 to 9223372036854775807, not 100",
        lock().addWaiters(waiter().setDeadlineMs(100)));
    refusedLock("waiters.id is 6 to 300, not 5", lock().addWaiters(waiter()).addWaiters(waiter()));
  }

  private static StoredLease.Builder lease() {
    return StoredLease.newBuilder().setTtlMs(1).setDeadlineMs(200);
  }

  private static StoredLock.Builder lock() {
    return StoredLock.newBuilder().setHolder(holder());
  }

  private static StoredClaim.Builder holder() {
    return StoredClaim.newBuilder().setId(4).setLeaseId(3).setToken(4);
  }

  private static StoredClaim.Builder waiter() {
    return StoredClaim.newBuilder().setId(5).setLeaseId(3).setReplyIndex(5);
  }

  private static void refusedOutcome(String message, StoredOutcome.Builder outcome) {
    refusedLease(
        message,
        lease()
            .addRequests(
                StoredRequest.newBuilder().setNumber(1).setLockName("a").setOutcome(outcome)));
  }

  private static void refusedLease(String message, StoredLease.Builder lease) {
    Tables tables = tables(example());
    tables.set("leases", new byte[] {0, 0, 0, 0, 0, 0, 0, 3}, lease.build());
    refused("table leases, key \"3\": " + message, tables);
  }

  private static void refusedLock(String message, StoredLock.Builder lock) {
    Tables tables = tables(example());
    tables.set("locks", bytes("a"), lock.build());
    refused("table locks, key \"a\": " + message, tables);
  }

  private static void refused(String message, Tables tables) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> SnapshotCodec.decode(tables))
            .getMessage());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
