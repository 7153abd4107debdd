// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

/** A watch wanted events that are no longer kept: read the state again and go on from there. */
public final class CompactedException extends RuntimeException {

  private static final long serialVersionUID = 1L;
  private final long oldestRevision;

  CompactedException(long oldestRevision) {
    super("events before revision " + oldestRevision + " are no longer kept", null, false, false);
    this.oldestRevision = oldestRevision;
  }

  /** The first revision from which a watch may start. */
  public long oldestRevision() {
    return oldestRevision;
  }
}
