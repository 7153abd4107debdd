// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import com.google.protobuf.Message;
import dev.coordinator.v1.ErrorReason;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * Members in this process that keep to the wire contract and misbehave as they are told: they can
 * be killed, frozen, demoted, and lose answers.
 */
final class FakeCluster implements AutoCloseable {

  /** Who was asked what. */
  record Asked(int member, Message request) {}

  private record PlannedRefusal(Predicate<Message> which, StatusRuntimeException error) {}

  private final String id;
  private final String prefix = UUID.randomUUID() + ":";
  private final Map<Integer, String> wrongAddresses = new ConcurrentHashMap<>();
  private final FakeState state = new FakeState();
  private final List<FakeMember> members = new ArrayList<>();
  private final Queue<Asked> asked = new ConcurrentLinkedQueue<>();
  private final Queue<StatusRuntimeException> lostAnswers = new ConcurrentLinkedQueue<>();
  private final Queue<StatusRuntimeException> refusals = new ConcurrentLinkedQueue<>();
  private final Queue<StatusRuntimeException> watchRefusals = new ConcurrentLinkedQueue<>();
  private final Queue<PlannedRefusal> plannedRefusals = new ConcurrentLinkedQueue<>();
  private final AtomicInteger brokenOff = new AtomicInteger();
  private final AtomicInteger cancelledWaits = new AtomicInteger();
  private volatile int leader = 1;
  private volatile boolean forwarding = true;
  private volatile boolean secretive;
  private volatile Class<? extends Message> unanswered;

  FakeCluster(int size) {
    this("fake", size);
  }

  FakeCluster(String id, int size) {
    this.id = id;
    for (int member = 1; member <= size; member++) {
      members.add(new FakeMember(this, member));
    }
    members.forEach(FakeMember::start);
  }

  /** A client that knows the members of these ids; of all if none is given. */
  CoordinatorClient.Builder client(int... ids) {
    List<String> endpoints = new ArrayList<>();
    for (FakeMember member : members) {
      boolean wanted = ids.length == 0;
      for (int id : ids) {
        wanted |= id == member.id();
      }
      if (wanted) {
        endpoints.add(address(member.id()));
      }
    }
    return CoordinatorClient.builder().endpoints(endpoints).connector(this::connect);
  }

  private ManagedChannel connect(String address) {
    return InProcessChannelBuilder.forName(address).directExecutor().build();
  }

  String address(int id) {
    return prefix + id;
  }

  /** Where members tell clients to find a member. */
  String toldAddress(int id) {
    return wrongAddresses.getOrDefault(id, address(id));
  }

  /** Members tell a wrong address of one of them. */
  void tellAddress(int id, String wrong) {
    wrongAddresses.put(id, wrong);
  }

  String id() {
    return id;
  }

  FakeState state() {
    return state;
  }

  FakeMember member(int id) {
    return members.get(id - 1);
  }

  int size() {
    return members.size();
  }

  int leader() {
    return leader;
  }

  /** 0 for none. */
  void elect(int id) {
    leader = id;
  }

  boolean isForwarding() {
    return forwarding;
  }

  /** Whether followers pass calls on, or say NOT_LEADER. */
  void setForwarding(boolean on) {
    forwarding = on;
  }

  /** Carries out the next numbered call but loses its answer. */
  void loseNextAnswer() {
    lostAnswers.add(FakeError.of(ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN));
  }

  StatusRuntimeException nextLostAnswer() {
    return lostAnswers.poll();
  }

  /** Carries out calls of this kind but loses their answers; null for none. */
  void loseAnswersTo(Class<? extends Message> kind) {
    unanswered = kind;
  }

  StatusRuntimeException lostAnswer(Message request) {
    return request.getClass() == unanswered
        ? FakeError.of(ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN)
        : nextLostAnswer();
  }

  /** Refuses the next call to the leader. */
  void refuseNext(StatusRuntimeException error) {
    refusals.add(error);
  }

  /** Refuses the next call to the leader that is one of these. */
  void refuseNext(Predicate<Message> which, StatusRuntimeException error) {
    plannedRefusals.add(new PlannedRefusal(which, error));
  }

  StatusRuntimeException nextRefusal(Message request) {
    Optional<PlannedRefusal> planned =
        plannedRefusals.stream().filter(refusal -> refusal.which.test(request)).findFirst();
    return planned.isPresent() && plannedRefusals.remove(planned.get())
        ? planned.get().error
        : refusals.poll();
  }

  /** A client broke a call off before it was answered: an acquisition, or one for the status. */
  void brokeOff() {
    brokenOff.incrementAndGet();
  }

  int brokenOff() {
    return brokenOff.get();
  }

  /** A client was answered that its wait was cancelled. */
  void toldOfCancelledWait() {
    cancelledWaits.incrementAndGet();
  }

  int cancelledWaits() {
    return cancelledWaits.get();
  }

  /** Refuses the next watch. */
  void refuseNextWatch(StatusRuntimeException error) {
    watchRefusals.add(error);
  }

  StatusRuntimeException nextWatchRefusal() {
    return watchRefusals.poll();
  }

  void asked(int member, Message request) {
    asked.add(new Asked(member, request));
  }

  /** The requests of a kind that came in, in order. */
  <Q extends Message> List<Q> requests(Class<Q> kind) {
    return asked.stream().map(Asked::request).filter(kind::isInstance).map(kind::cast).toList();
  }

  /** The members that requests of a kind came to, in order. */
  List<Integer> membersAsked(Class<? extends Message> kind) {
    return asked.stream()
        .filter(request -> kind.isInstance(request.request()))
        .map(Asked::member)
        .toList();
  }

  boolean isSecretive() {
    return secretive;
  }

  /** Members do not tell who belongs to the cluster. */
  void keepMembersSecret() {
    secretive = true;
  }

  @Override
  public void close() {
    members.forEach(FakeMember::kill);
  }
}
