// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.IOException;

/**
 * A data directory that cannot be used as it is. The message is for the operator: what is wrong,
 * where, and what to do about it.
 */
public final class StorageException extends IOException {

  private static final long serialVersionUID = 1L;

  public StorageException(String message) {
    super(message);
  }

  public StorageException(String message, Throwable cause) {
    super(message, cause);
  }
}
