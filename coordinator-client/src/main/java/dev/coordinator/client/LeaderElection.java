// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A standing candidacy: it runs a task whenever this process is the leader, on a thread of its own.
 *
 * <p>The contract:
 *
 * <ul>
 *   <li>The task runs only after the cluster has granted the leadership, once for each grant, and
 *       never twice at the same time in one election object.
 *   <li>When the leadership is lost, the task's thread is interrupted: before the cluster can elect
 *       another leader if the lease runs out, but only afterwards if it is revoked elsewhere, or if
 *       the client is closed before the election. A task that does not react still leads in its own
 *       mind only: have what it writes to refuse {@linkplain Leadership#token() tokens} smaller
 *       than the highest it has seen.
 *   <li>The listener for the end is called exactly once for each time the task was started, after
 *       the task has returned or thrown, and before the task can start again.
 *   <li>A task that returns while it leads resigns. After that, after a loss and after a failure of
 *       the task the candidacy goes on, at the end of the queue, unless {@link Builder#once} was
 *       chosen.
 *   <li>Each candidacy that lost its session goes on with a fresh one.
 *   <li>{@link #close} interrupts the task and returns when it has ended and the leadership is
 *       given back.
 * </ul>
 *
 * <p>The task's thread is a daemon: keep the process alive by other means. Thread-safe.
 */
public final class LeaderElection implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(LeaderElection.class);

  private static final long MIN_PAUSE_MS = 50;
  private static final long MAX_PAUSE_MS = 5_000;
  private static final int MAX_DOUBLINGS = 7;

  /** What became of the task after a grant. */
  private enum Run {
    ENDED,
    FAILED,
    /** The leadership was lost before the task could start. */
    MISSED
  }

  private final CoordinatorClient client;
  private final String name;
  private final SessionOptions options;
  private final String metadata;
  private final LeaderTask task;
  private final Consumer<Leadership> onStopped;
  private final boolean once;
  private final Thread thread;

  /** Guards the two fields below: nobody may interrupt the thread while it gives something back. */
  private final Object interruption = new Object();

  private boolean interruptible;
  private Leadership leading;

  private volatile boolean closed;
  private volatile Leadership current;

  /** Belongs to the thread. */
  private Session session;

  private LeaderElection(Builder builder) {
    this.client = builder.client;
    this.name = builder.name;
    this.options = builder.options;
    this.metadata = builder.metadata;
    this.task = builder.task;
    this.onStopped = builder.onStopped;
    this.once = builder.once;
    this.thread = Threads.named("coordinator-election-" + name).newThread(this::run);
  }

  /** A candidacy to be set up, in the election that the lock of this name decides. */
  public static Builder builder(CoordinatorClient client, String name) {
    return new Builder(client, name);
  }

  /** The leadership, while this process leads. */
  public Optional<Leadership> current() {
    return Optional.ofNullable(current).filter(Leadership::isValid);
  }

  /** Whether this process leads at this moment. */
  public boolean isLeader() {
    return current().isPresent();
  }

  /**
   * Withdraws: interrupts the task if it runs, waits for it to end, and gives the leadership back.
   * When called by the task itself it does not wait.
   */
  @Override
  public void close() {
    synchronized (interruption) {
      closed = true;
      if (interruptible) {
        thread.interrupt();
      }
    }
    if (Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run() {
    try {
      stand();
    } finally {
      // Whatever ends the candidacy: a lease that nobody needs must not be renewed for ever.
      if (session != null) {
        session.close();
      }
    }
  }

  private void stand() {
    int failures = 0;
    boolean finished = false;
    while (!closed && !finished) {
      try {
        becomeInterruptible(null);
        if (session == null || session.state() == SessionState.EXPIRED) {
          session = client.newSession(options);
        }
        HeldLock held = session.lock(name).withMetadata(metadata).acquire();
        Run run = leadAndResign(held);
        finished = once && run != Run.MISSED;
        failures = run == Run.ENDED ? 0 : failures + 1;
      } catch (InterruptedException e) {
        log.debug("The candidacy for {} was interrupted", name);
      } catch (CoordinatorException e) {
        finished = e.reason() == CoordinatorException.Reason.CLOSED && client.isClosed();
        failures++;
        if (!closed && !finished) {
          log.warn("The candidacy for {} failed and goes on: {}", name, e.getMessage());
        }
      } catch (RuntimeException | Error e) {
        failures++;
        log.error("The candidacy for {} failed and goes on", name, e);
      } finally {
        becomeUninterruptible();
      }
      if (!finished) {
        pause(failures);
      }
    }
  }

  private Run leadAndResign(HeldLock held) throws InterruptedException {
    becomeUninterruptible();
    try (held) {
      Leadership leadership = new Leadership(held);
      held.onLost(reason -> interrupt(leadership));
      becomeInterruptible(leadership);
      return leadership.isValid() ? lead(leadership) : Run.MISSED;
    }
  }

  private Run lead(Leadership leadership) {
    log.info("Leading {} with token {}", name, Long.toUnsignedString(leadership.token()));
    current = leadership;
    try {
      task.lead(leadership);
      return Run.ENDED;
    } catch (InterruptedException e) {
      return Run.ENDED;
    } catch (Throwable e) {
      // An error of the task ends its run like an exception; others can lead meanwhile.
      log.error("The task of the leader of {} failed", name, e);
      return Run.FAILED;
    } finally {
      becomeUninterruptible();
      current = null;
      log.info("No longer leading {}", name);
      tellStopped(leadership);
    }
  }

  private void tellStopped(Leadership leadership) {
    try {
      onStopped.accept(leadership);
    } catch (RuntimeException | Error e) {
      log.error("The listener for the end of the leadership of {} failed", name, e);
    }
  }

  private void becomeInterruptible(Leadership leadership) throws InterruptedException {
    synchronized (interruption) {
      if (closed) {
        throw new InterruptedException();
      }
      interruptible = true;
      leading = leadership;
    }
  }

  private void becomeUninterruptible() {
    synchronized (interruption) {
      interruptible = false;
      leading = null;
      Thread.interrupted();
    }
  }

  private void interrupt(Leadership lost) {
    synchronized (interruption) {
      if (leading == lost) {
        thread.interrupt();
      }
    }
  }

  /** Gives others a chance, and a cluster in trouble some rest. */
  private void pause(int failures) {
    try {
      becomeInterruptible(null);
      long pauseMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS << Math.min(failures, MAX_DOUBLINGS));
      Thread.sleep(pauseMs / 2 + ThreadLocalRandom.current().nextLong(pauseMs / 2 + 1));
    } catch (InterruptedException e) {
      log.debug("The candidacy for {} was interrupted", name);
    } finally {
      becomeUninterruptible();
    }
  }

  /** Sets up a candidacy. Not thread-safe. */
  public static final class Builder {

    private final CoordinatorClient client;
    private final String name;
    private SessionOptions options = SessionOptions.ofTtl(Duration.ofSeconds(10));
    private String metadata = "";
    private LeaderTask task;
    private Consumer<Leadership> onStopped = leadership -> {};
    private boolean once;

    private Builder(CoordinatorClient client, String name) {
      this.client = Objects.requireNonNull(client, "client");
      this.name = Objects.requireNonNull(name, "name");
    }

    /** How long the cluster keeps a leader that it does not hear of. By default ten seconds. */
    public Builder ttl(Duration ttl) {
      return session(SessionOptions.ofTtl(ttl));
    }

    /** What the candidacy's sessions are made with. */
    public Builder session(SessionOptions sessionOptions) {
      this.options = Objects.requireNonNull(sessionOptions, "sessionOptions");
      return this;
    }

    /** A text that others see with the leader, such as its address. */
    public Builder metadata(String text) {
      this.metadata = Objects.requireNonNull(text, "text");
      return this;
    }

    /** What to do while leading. */
    public Builder onElected(LeaderTask leaderTask) {
      this.task = Objects.requireNonNull(leaderTask, "leaderTask");
      return this;
    }

    /** Called exactly once after each run of the task, on the same thread. */
    public Builder onStopped(Consumer<Leadership> listener) {
      this.onStopped = Objects.requireNonNull(listener, "listener");
      return this;
    }

    /** Ends the candidacy after the first run of the task instead of standing again. */
    public Builder once() {
      this.once = true;
      return this;
    }

    /** Stands for election. */
    public LeaderElection start() {
      if (task == null) {
        throw new IllegalStateException("onElected is not set");
      }
      LeaderElection election = new LeaderElection(this);
      election.thread.start();
      return election;
    }
  }
}
