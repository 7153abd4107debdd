// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;

/** Something that goes wrong. {@link Testbed#heal} puts it right again, whatever it was. */
@FunctionalInterface
interface Fault {

  /** Does it; returns when it has lasted for long enough. May be interrupted at any point. */
  void strike(Testbed testbed, Draw draw) throws IOException, InterruptedException;
}
