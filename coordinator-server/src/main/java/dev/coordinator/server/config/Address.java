// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import java.net.URI;
import java.net.URISyntaxException;

/** A host name or IP address with a port; written {@code host:port}, IPv6 as {@code [::1]:port}. */
public record Address(String host, int port) {

  private static final String RULE = "must be host:port with a port from 0 to 65535";

  private static final String HOST_RULE =
      "must have an IP address or a host name of letters, digits, '-' and '.';"
          + " gRPC does not resolve names with '_'";

  /** Reads {@code host:port}; throws IllegalArgumentException with the rule that it breaks. */
  public static Address parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw new IllegalArgumentException(RULE);
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.contains(":")) {
      throw new IllegalArgumentException(RULE + "; write an IPv6 address in brackets");
    }
    if (host.isEmpty() || host.chars().anyMatch(c -> c <= ' ' || c == '/' || c == ',')) {
      throw new IllegalArgumentException(RULE);
    }
    if (!isUriHost(text.substring(0, colon))) {
      throw new IllegalArgumentException(HOST_RULE);
    }
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      if (port < 0 || port > 65_535) {
        throw new IllegalArgumentException(RULE);
      }
      return new Address(host, port);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(RULE, e);
    }
  }

  /** Members and clients connect by URI, which takes fewer hosts than name services know. */
  private static boolean isUriHost(String host) {
    try {
      return host.equals(new URI("//" + host).getHost());
    } catch (URISyntaxException e) {
      return false;
    }
  }

  public Address withPort(int newPort) {
    return new Address(host, newPort);
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
