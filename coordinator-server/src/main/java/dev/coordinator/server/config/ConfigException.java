// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

/** A configuration that cannot be used. The message names the key, the rule and the source. */
public final class ConfigException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
