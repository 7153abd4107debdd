// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.server.config.Address;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say which cluster a command talks to. */
public final class ConnectionOptions {

  @Option(
      names = {"-e", "--endpoints"},
      split = ",",
      paramLabel = "HOST:PORT",
      defaultValue = "${env:COORDINATOR_ENDPOINTS:-127.0.0.1:7420}",
      description =
          "Client addresses of one or more members, separated by commas; any member answers."
              + " Default: $COORDINATOR_ENDPOINTS, else 127.0.0.1:7420.")
  private List<String> endpoints;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      defaultValue = "5s",
      converter = TimeSpan.class,
      description = "How long to try to get an answer. Default: ${DEFAULT-VALUE}.")
  private Duration timeout;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** The addresses, each checked to be one that gRPC can connect to. */
  public List<String> endpoints() {
    return endpoints.stream().map(this::checked).toList();
  }

  private String checked(String endpoint) {
    try {
      if (Address.parse(endpoint).port() == 0) {
        throw new IllegalArgumentException("must have a port from 1 to 65535");
      }
      return endpoint;
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          command.commandLine(), "--endpoints: '" + endpoint + "' " + e.getMessage());
    }
  }

  public Duration timeout() {
    return timeout;
  }

  public Connection open() {
    return new Connection(endpoints(), timeout);
  }
}
