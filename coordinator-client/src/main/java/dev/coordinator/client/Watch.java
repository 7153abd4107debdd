// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.WatchStream;
import java.util.function.Consumer;

/** A watch in progress. Thread-safe. */
public final class Watch implements AutoCloseable {

  private final WatchStream stream;
  private final Consumer<WatchStream> onClose;

  Watch(WatchStream stream, Consumer<WatchStream> onClose) {
    this.stream = stream;
    this.onClose = onClose;
  }

  /** Ends the watch. At most a call of the listener that is under way goes on. */
  @Override
  public void close() {
    stream.close();
    onClose.accept(stream);
  }
}
