// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.CoordinatorException;
import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.TimeSource;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.ResponseHeader;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to the cluster: a connection for each member, a guess who leads, and retries.
 *
 * <p>Calls go to the leader. Who that is comes from what members say: the response metadata {@code
 * coordinator-leader}, the response header, and the details of NOT_LEADER. A hint that names a
 * member which has just failed is not followed: followers go on naming a dead leader until they
 * have elected another. One endpoint is enough to begin with; the others are learned from the
 * cluster.
 *
 * <p>The first answer decides which cluster this is. Members of another one, to which a wrong
 * address led, refuse what is meant for it, and are left alone.
 *
 * <p>Thread-safe.
 */
public final class LeaderChannel implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(LeaderChannel.class);

  static final Metadata.Key<String> LEADER_KEY =
      Metadata.Key.of("coordinator-leader", Metadata.ASCII_STRING_MARSHALLER);

  static final Metadata.Key<String> CLUSTER_KEY =
      Metadata.Key.of("coordinator-cluster", Metadata.ASCII_STRING_MARSHALLER);

  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
  private static final long LEARN_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LEARN_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Duration LEARN_BUDGET = Duration.ofSeconds(5);

  private final Set<String> endpoints;
  private final Function<String, ManagedChannel> connector;
  private final TimeSource time;
  private final ScheduledExecutorService scheduler;
  private final long attemptTimeoutNanos;

  private final Map<String, MemberChannel> members = new ConcurrentHashMap<>();
  private final Map<Long, String> addressById = new ConcurrentHashMap<>();
  private final Set<RetriedCall<?, ?>> resting = ConcurrentHashMap.newKeySet();

  /** The cluster of the first answer; null until there was one. */
  private final AtomicReference<String> clusterId = new AtomicReference<>();

  private final AtomicInteger turn = new AtomicInteger();
  private final AtomicBoolean ticking = new AtomicBoolean();
  private final AtomicBoolean learning = new AtomicBoolean();
  private volatile List<MemberChannel> order = List.of();
  private volatile MemberChannel leader;
  private volatile long learnedAtNanos;
  private volatile boolean closed;
  private long tickedAtNanos;

  /**
   * @param connector makes the connection to an address
   */
  public LeaderChannel(
      List<String> endpoints,
      Function<String, ManagedChannel> connector,
      TimeSource time,
      ScheduledExecutorService scheduler,
      Duration attemptTimeout) {
    this.endpoints = Set.copyOf(endpoints);
    this.connector = connector;
    this.time = time;
    this.scheduler = scheduler;
    this.attemptTimeoutNanos = attemptTimeout.toNanos();
    this.learnedAtNanos = time.nanoTime() - LEARN_NANOS;
    endpoints.forEach(this::addMember);
  }

  /** Sends a request to the leader until it is answered, within the policy. */
  public <Q, R> CompletableFuture<R> call(Rpc<Q, R> rpc, Q request, CallPolicy policy) {
    learnMembersIfDue();
    RetriedCall<Q, R> call = new RetriedCall<>(this, rpc, request, policy);
    call.attempt();
    return call;
  }

  /** Sends a request to one member, whoever leads, once. */
  public <Q, R> CompletableFuture<R> callMember(
      String address, Rpc<Q, R> rpc, Q request, Duration timeout) {
    CompletableFuture<R> result = new CompletableFuture<>();
    MemberChannel member = connect(address);
    if (member == null) {
      result.completeExceptionally(closedException());
      return result;
    }
    member.dialIfLost();
    MemberCall<Q, R> call =
        new MemberCall<>(this, member, rpc.method(), timeout.toNanos()) {
          @Override
          void received(R message) {
            result.complete(message);
          }

          @Override
          void ended(Failure failure) {
            // Does nothing if there was an answer.
            result.completeExceptionally(
                closed
                    ? closedException()
                    : exception(failure == null ? Failure.unanswered(member.address()) : failure));
          }
        };
    call.start(2);
    call.send(request);
    call.halfClose();
    result.whenComplete(
        (message, failure) -> {
          if (result.isCancelled()) {
            call.abandon();
          }
        });
    return result;
  }

  private static CoordinatorException exception(Failure failure) {
    return failure.kind() == Failure.Kind.REFUSED
        ? failure.toException()
        : failure.toUnavailable(failure.kind() == Failure.Kind.NOT_APPLIED);
  }

  /** Why calls fail that a closed client cannot make. */
  public static CoordinatorException closedException() {
    return new CoordinatorException(Reason.CLOSED, "the client is closed");
  }

  /** The addresses given and learned. */
  public List<String> addresses() {
    List<String> addresses = new ArrayList<>();
    order.forEach(member -> addresses.add(member.address()));
    return addresses;
  }

  TimeSource time() {
    return time;
  }

  long attemptTimeoutNanos() {
    return attemptTimeoutNanos;
  }

  boolean isClosed() {
    return closed;
  }

  boolean knowsLeader() {
    return leader != null;
  }

  MemberChannel leader() {
    return leader;
  }

  /** Tries a call again after a while; at once, to fail it, if the client is closed meanwhile. */
  void retry(RetriedCall<?, ?> call, long delayNanos) {
    resting.add(call);
    schedule(() -> wakeUp(call), delayNanos);
    if (closed) {
      wakeUp(call);
    }
  }

  private void wakeUp(RetriedCall<?, ?> call) {
    if (resting.remove(call)) {
      call.attempt();
    }
  }

  void schedule(Runnable task, long delayNanos) {
    try {
      scheduler.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // Only a closed client rejects; the task then finds that out itself.
      task.run();
    }
  }

  /**
   * The leader if one is known, else any member that seems well; not {@code avoided} if it can be.
   */
  MemberChannel pick(MemberChannel avoided) {
    MemberChannel known = leader;
    if (known != null && known != avoided && !known.isSuspect(time.nanoTime())) {
      return known;
    }
    return pickAny(avoided);
  }

  /** Any member that seems well, in turn; not {@code avoided} if it can be. */
  MemberChannel pickAny(MemberChannel avoided) {
    long now = time.nanoTime();
    List<MemberChannel> candidates = order;
    int first = Math.floorMod(turn.getAndIncrement(), candidates.size());
    MemberChannel best = null;
    for (int i = 0; i < candidates.size(); i++) {
      MemberChannel candidate = candidates.get((first + i) % candidates.size());
      if (candidate != avoided && !candidate.isSuspect(now)) {
        best = candidate;
        break;
      }
      if (best == null || isBetter(candidate, best, avoided)) {
        best = candidate;
      }
    }
    best.dialIfLost();
    return best;
  }

  private static boolean isBetter(MemberChannel a, MemberChannel b, MemberChannel avoided) {
    if (b == avoided || a == avoided) {
      return b == avoided;
    }
    return a.suspectedUntilNanos() - b.suspectedUntilNanos() < 0;
  }

  /** What goes with every call. */
  Metadata requestMetadata() {
    Metadata metadata = new Metadata();
    String meant = clusterId.get();
    if (meant != null) {
      metadata.put(CLUSTER_KEY, meant);
    }
    return metadata;
  }

  /**
   * Finds out whether an answer comes from this client's cluster, which the first one decides. An
   * answer from another cluster can only be one to a call from before that.
   *
   * @return null, or why the answer does not count
   */
  Failure checkCluster(MemberChannel member, Metadata answer) {
    String answering = answer.get(CLUSTER_KEY);
    if (answering == null
        || clusterId.compareAndSet(null, answering)
        || clusterId.get().equals(answering)) {
      return null;
    }
    Failure failure = Failure.wrongCluster(answering);
    learnFrom(member, failure);
    return failure;
  }

  void learnFrom(Metadata headers) {
    String address = headers.get(LEADER_KEY);
    if (address != null) {
      follow(address);
    }
  }

  void learnFrom(MemberChannel member, ResponseHeader header) {
    long leaderId = header.getLeaderId();
    if (leaderId == 0) {
      return;
    }
    String address = addressById.get(leaderId);
    if (address != null) {
      follow(address);
    } else if (leaderId == header.getMemberId() && leader == null) {
      leader = member;
    }
  }

  void learnFrom(MemberChannel member, Failure failure) {
    if (!failure.fromMember()) {
      doubt(member);
      return;
    }
    if (failure.reason() == Reason.WRONG_CLUSTER) {
      if (member.isFirstTimeForeign()) {
        log.warn(
            "{} is of cluster '{}', not of '{}', and is not used",
            member.address(),
            failure.details().get("cluster_id"),
            clusterId.get());
      }
      doubt(member);
      return;
    }
    member.heard();
    if (failure.reason() == Reason.NO_LEADER || failure.reason() == Reason.OUTCOME_UNKNOWN) {
      if (leader == member) {
        leader = null;
      }
    } else if (failure.reason() == Reason.NOT_LEADER) {
      if (leader == member) {
        leader = null;
      }
      String address = failure.details().getOrDefault("leader", "");
      if (address.isEmpty()) {
        address = addressOf(failure.details().getOrDefault("leader_id", ""));
      }
      if (!address.isEmpty()) {
        follow(address);
      }
    }
  }

  private void doubt(MemberChannel member) {
    member.suspect(time.nanoTime());
    if (leader == member) {
      leader = null;
    }
    learnMembersIfDue();
  }

  private String addressOf(String id) {
    try {
      return addressById.getOrDefault(Long.parseUnsignedLong(id), "");
    } catch (NumberFormatException e) {
      return "";
    }
  }

  private void follow(String address) {
    MemberChannel known = leader;
    if (address.isEmpty() || closed || (known != null && known.address().equals(address))) {
      return;
    }
    MemberChannel named = addMember(address);
    if (named == null) {
      return;
    }
    if (named.mayLead(time.nanoTime())) {
      log.debug("{} leads", address);
      leader = named;
    } else {
      named.dialIfLost();
    }
  }

  /** Null once closed: nobody would close a connection that is made later. */
  private synchronized MemberChannel connect(String address) {
    return closed
        ? null
        : members.computeIfAbsent(address, to -> new MemberChannel(to, connector.apply(to), time));
  }

  /** As {@link #connect}, for a member to which calls may go. */
  private synchronized MemberChannel addMember(String address) {
    MemberChannel member = connect(address);
    if (member != null && !order.contains(member)) {
      member.dial();
      List<MemberChannel> longer = new ArrayList<>(order);
      longer.add(member);
      order = List.copyOf(longer);
    }
    return member;
  }

  private void learnMembersIfDue() {
    long age = time.nanoTime() - learnedAtNanos;
    boolean due = age >= LEARN_NANOS || (leader == null && age >= LEARN_AGAIN_NANOS);
    if (due && !closed && learning.compareAndSet(false, true)) {
      learnedAtNanos = time.nanoTime();
      RetriedCall<ListMembersRequest, ListMembersResponse> call =
          new RetriedCall<>(
              this,
              Rpc.LIST_MEMBERS,
              ListMembersRequest.getDefaultInstance(),
              CallPolicy.repeatable(LEARN_BUDGET));
      call.whenComplete(
          (response, failure) -> {
            learning.set(false);
            if (failure == null) {
              setMembers(response.getMembersList());
            }
          });
      call.attempt();
    }
  }

  private synchronized void setMembers(List<Member> told) {
    if (closed) {
      return;
    }
    addressById.clear();
    Set<String> wanted = ConcurrentHashMap.newKeySet();
    wanted.addAll(endpoints);
    for (Member member : told) {
      if (!member.getClientAddress().isEmpty()) {
        addressById.put(member.getMemberId(), member.getClientAddress());
        wanted.add(member.getClientAddress());
        addMember(member.getClientAddress());
      }
    }
    List<MemberChannel> kept = new ArrayList<>();
    for (MemberChannel member : order) {
      if (wanted.contains(member.address()) || member == leader || !member.isIdle()) {
        kept.add(member);
      } else {
        members.remove(member.address());
        member.close();
      }
    }
    order = List.copyOf(kept);
  }

  /** Runs the watch over calls in flight; it stops by itself when there are none. */
  void startTicking() {
    if (!ticking.get() && ticking.compareAndSet(false, true)) {
      schedule(() -> tick(true), TICK_NANOS);
    }
  }

  private void tick(boolean first) {
    if (closed) {
      return;
    }
    try {
      look(first);
    } catch (RuntimeException | Error e) {
      log.error("The watch over calls in flight failed", e);
    } finally {
      goOnTicking();
    }
  }

  private void look(boolean first) {
    long now = time.nanoTime();
    if (first) {
      tickedAtNanos = now;
    }
    // After a pause of this process the answers may already be here, unread. Silence counts anew.
    boolean paused = now - tickedAtNanos >= PAUSE_NANOS;
    tickedAtNanos = now;
    for (MemberChannel member : members.values()) {
      if (paused) {
        member.restartProbe(now);
      } else {
        boolean wellBefore = !member.isSuspect(now);
        member.tick(now);
        if (wellBefore && member.isSuspect(now)) {
          log.info("{} does not answer", member.address());
          doubt(member);
        }
      }
    }
  }

  private void goOnTicking() {
    if (hasCallsInFlight()) {
      schedule(() -> tick(false), TICK_NANOS);
      return;
    }
    ticking.set(false);
    if (hasCallsInFlight()) {
      startTicking();
    }
  }

  private boolean hasCallsInFlight() {
    for (MemberChannel member : members.values()) {
      if (!member.isIdle()) {
        return true;
      }
    }
    return false;
  }

  /** Breaks off every call and closes the connections. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    members.values().forEach(MemberChannel::close);
    List.copyOf(resting).forEach(this::wakeUp);
  }
}
