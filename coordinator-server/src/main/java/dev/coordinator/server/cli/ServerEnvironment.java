// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Which {@code COORDINATOR_…} variables of an environment are meant for a member's configuration.
 */
final class ServerEnvironment {

  /** Of the launcher, of the client commands, and of what runs under {@code coordinator lock}. */
  private static final Set<String> OF_OTHERS =
      Set.of(
          "COORDINATOR_JAVA_OPTS",
          "COORDINATOR_ENDPOINTS",
          "COORDINATOR_LOCK_NAME",
          "COORDINATOR_TOKEN",
          "COORDINATOR_LEASE_ID");

  /**
   * What Kubernetes sets in every pod beside a service that is called coordinator, or
   * coordinator-x.
   */
  private static final Pattern OF_KUBERNETES =
      Pattern.compile("COORDINATOR_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\\d+_TCP.*)?)");

  private ServerEnvironment() {}

  /** The rest of them; a misspelt one among it is an error that the configuration reports. */
  static Map<String, String> configuration(Map<String, String> environment) {
    Map<String, String> rest = new TreeMap<>(environment);
    rest.keySet()
        .removeIf(name -> OF_OTHERS.contains(name) || OF_KUBERNETES.matcher(name).matches());
    return rest;
  }
}
