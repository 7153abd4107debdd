// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import java.util.Iterator;
import java.util.List;

/** A snapshot as named tables of byte strings: what a file of it holds. */
public interface SnapshotTables {

  /** The names of all tables; each is there, perhaps without rows. */
  List<String> NAMES = List.of("meta", "leases", "locks");

  /** The rows of a table by rising keys, compared as unsigned bytes. */
  Iterator<Row> rows(String table);

  /** Nobody changes the arrays. */
  record Row(byte[] key, byte[] value) {}
}
