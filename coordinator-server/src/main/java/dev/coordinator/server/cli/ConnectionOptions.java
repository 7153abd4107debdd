// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

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

  /** The addresses, each checked to be {@code host:port}. */
  public List<String> endpoints() {
    for (String endpoint : endpoints) {
      int colon = endpoint.lastIndexOf(':');
      if (colon <= 0 || !endpoint.substring(colon + 1).matches("\\d{1,5}")) {
        throw new ParameterException(
            command.commandLine(),
            "--endpoints: '" + endpoint + "' is not HOST:PORT, as in 127.0.0.1:7420");
      }
    }
    return List.copyOf(endpoints);
  }

  public Duration timeout() {
    return timeout;
  }

  public Connection open() {
    return new Connection(endpoints(), timeout);
  }
}
