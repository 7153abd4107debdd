// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** The client's threads and what they and its leases are called. */
final class Threads {

  private Threads() {}

  /** Daemon threads of one name. */
  static ThreadFactory named(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Has a thread for every task; idle ones end after a minute. */
  static ExecutorService pool(String name) {
    AtomicInteger count = new AtomicInteger();
    return Executors.newCachedThreadPool(
        task -> named(name + "-" + count.incrementAndGet()).newThread(task));
  }

  /** Host and process id. */
  static String processLabel() {
    String host;
    try {
      host = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      host = "unknown-host";
    }
    return host + "/" + ProcessHandle.current().pid();
  }
}
