// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import com.google.protobuf.MessageLite;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * One page of a list: as many items as asked for, or fewer if they are so large that clients would
 * refuse the message.
 *
 * @param more whether there may be items after the last one
 */
record Page<M extends MessageLite>(List<M> items, boolean more) {

  /** A quarter of what gRPC clients take by default. */
  static final int MAX_BYTES = 1 << 20;

  static <V, M extends MessageLite> Page<M> of(
      List<V> found, int pageSize, Function<V, M> toMessage) {
    var items = new ArrayList<M>(Math.min(found.size(), pageSize));
    int bytes = 0;
    for (V view : found) {
      if (items.size() == pageSize || bytes >= MAX_BYTES) {
        return new Page<>(items, true);
      }
      M item = toMessage.apply(view);
      items.add(item);
      bytes += item.getSerializedSize();
    }
    return new Page<>(items, false);
  }
}
