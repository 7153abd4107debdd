// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

/**
 * A correct lock, for one caller at a time.
 *
 * <p>The token of an acquisition with an unknown outcome is not known until somebody sees it; until
 * then the state holds the smallest that it can be.
 *
 * @param lease of the holder; null if the lock is free
 * @param owner of the holder; null if the lock is free
 * @param token of the holder, or of the last one
 * @param tokenKnown whether it is exactly that
 * @param observed whether anything but an acquisition with an unknown outcome tells of this holder
 */
record LockState(String lease, String owner, long token, boolean tokenKnown, boolean observed) {

  static final LockState NEW = new LockState(null, null, 0, true, true);

  boolean isFree() {
    return lease == null;
  }

  /** The state after an operation; null if a correct lock can't answer it so in this state. */
  LockState after(Operation operation) {
    Action action = operation.action();
    Result result = operation.result();
    if (action instanceof Action.Acquire acquire) {
      return afterAcquire(acquire, result);
    } else if (action instanceof Action.Release release) {
      return afterRelease(release, result);
    } else if (action instanceof Action.EndLease end) {
      return end.lease().equals(lease) ? free() : this;
    }
    Holder seen = ((Result.Seen) result).holder();
    return seen == null ? (isFree() ? this : null) : heldWith(seen);
  }

  private LockState afterAcquire(Action.Acquire acquire, Result result) {
    boolean own = acquire.lease().equals(lease) && acquire.owner().equals(owner);
    if (result instanceof Result.Granted granted) {
      return isFree() && granted.token() > token
          ? new LockState(acquire.lease(), acquire.owner(), granted.token(), true, true)
          : null;
    } else if (result instanceof Result.AlreadyHeld held) {
      return own ? heldWith(held.token()) : null;
    } else if (result instanceof Result.NotAcquired refused) {
      if (isFree() || own) {
        return null;
      }
      return refused.holder() == null
          ? new LockState(lease, owner, token, tokenKnown, true)
          : heldWith(refused.holder());
    }
    return isFree()
        ? new LockState(acquire.lease(), acquire.owner(), token + 1, false, false)
        : null;
  }

  private LockState afterRelease(Action.Release release, Result result) {
    if (result instanceof Result.NotOwner refused) {
      Holder met = refused.holder();
      if (met == null) {
        return isFree() ? this : null;
      }
      return met.token() == release.token() ? null : heldWith(met);
    }
    boolean own = release.lease().equals(lease) && release.owner().equals(owner);
    LockState before = own ? heldWith(release.token()) : null;
    return before == null ? null : before.free();
  }

  private LockState free() {
    return new LockState(null, null, token, true, true);
  }

  private LockState heldWith(Holder seen) {
    boolean fits = !isFree() && (seen.owner() == null || seen.owner().equals(owner));
    return fits ? heldWith(seen.token()) : null;
  }

  /** This state once its token is known to be that one; null if it can't be. */
  private LockState heldWith(long seenToken) {
    if (isFree() || (tokenKnown ? seenToken != token : seenToken < token)) {
      return null;
    }
    return tokenKnown ? this : new LockState(lease, owner, seenToken, true, true);
  }

  @Override
  public String toString() {
    if (isFree()) {
      return token == 0 ? "free, never held" : "free after token " + token;
    }
    return String.format(
        "held by %s in lease %s with %s %d",
        owner, lease, tokenKnown ? "token" : "an unknown token of at least", token);
  }
}
