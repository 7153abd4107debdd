// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads values of the configuration. Each method throws IllegalArgumentException with the rule. */
final class Parse {

  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d{1,12})\\s*([A-Za-z]*)");
  private static final Pattern CLUSTER_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private Parse() {}

  static String clusterId(String text) {
    require(
        CLUSTER_ID.matcher(text).matches(),
        "must be 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit");
    return text;
  }

  static String path(String text) {
    require(!text.isEmpty(), "must not be empty");
    return text;
  }

  static Function<String, Long> number(long min, long max) {
    return text -> {
      String rule = "must be a whole number from " + min + " to " + max;
      try {
        return inRange(Long.parseLong(text.replace("_", "")), min, max, rule);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(rule, e);
      }
    };
  }

  static boolean trueOrFalse(String text) {
    require(text.equals("true") || text.equals("false"), "must be true or false");
    return text.equals("true");
  }

  static Function<String, Integer> count(int min, int max) {
    return number(min, max).andThen(Math::toIntExact);
  }

  /** A number of bytes, in B, KiB, MiB or GiB. */
  static Function<String, Long> size(long minBytes, long maxBytes) {
    String rule =
        "must be a size such as 512KiB or 64MiB, from "
            + Describe.size(minBytes)
            + " to "
            + Describe.size(maxBytes);
    return text -> {
      Matcher matcher = NUMBER_AND_UNIT.matcher(text);
      require(matcher.matches(), rule);
      long unit =
          switch (matcher.group(2)) {
            case "", "B" -> 1;
            case "KiB" -> 1 << 10;
            case "MiB" -> 1 << 20;
            case "GiB" -> 1 << 30;
            default -> throw new IllegalArgumentException(rule);
          };
      // So many digits and such a unit may be more than a long holds.
      long number = Math.min(Long.parseLong(matcher.group(1)), Long.MAX_VALUE / unit);
      return inRange(number * unit, minBytes, maxBytes, rule);
    };
  }

  /** A duration in ms, s, m or h. */
  static Function<String, Duration> duration(Duration min, Duration max) {
    String rule =
        "must be a duration such as 250ms, 10s, 5m or 24h, from "
            + Describe.duration(min)
            + " to "
            + Describe.duration(max);
    return text -> {
      Matcher matcher = NUMBER_AND_UNIT.matcher(text);
      require(matcher.matches(), rule);
      long unitMs =
          switch (matcher.group(2)) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m" -> 60_000;
            case "h" -> 3_600_000;
            default -> throw new IllegalArgumentException(rule);
          };
      return Duration.ofMillis(
          inRange(Long.parseLong(matcher.group(1)) * unitMs, min.toMillis(), max.toMillis(), rule));
    };
  }

  static Address address(String text) {
    return Address.parse(text);
  }

  /** YAML reads a plain {@code off} as false. */
  static Optional<Address> addressOrOff(String text) {
    boolean off = text.equals("off") || text.equals("false");
    return off ? Optional.empty() : Optional.of(Address.parse(text));
  }

  /** Members as {@code 1=host:7420/host:7421,2=…}. */
  static List<ServerConfig.Member> members(String text) {
    var members = new ArrayList<ServerConfig.Member>();
    var ids = new HashSet<Long>();
    if (text.isEmpty()) {
      return List.of();
    }
    for (String part : text.split(",", -1)) {
      String[] idAndAddresses = part.strip().split("=", -1);
      require(
          idAndAddresses.length == 2,
          "must be a list of members, each ID=CLIENT_HOST:PORT/PEER_HOST:PORT");
      String[] addresses = idAndAddresses[1].split("/", -1);
      require(
          addresses.length == 2,
          "member " + idAndAddresses[0] + " must have a client and a peer address");
      long id = number(1, Long.MAX_VALUE).apply(idAndAddresses[0]);
      require(ids.add(id), "member " + id + " appears twice");
      Address client = Address.parse(addresses[0]);
      Address peer = Address.parse(addresses[1]);
      require(client.port() != 0 && peer.port() != 0, "member " + id + ": ports must not be 0");
      members.add(new ServerConfig.Member(id, client, peer));
    }
    return List.copyOf(members);
  }

  private static long inRange(long value, long min, long max, String rule) {
    require(value >= min && value <= max, rule);
    return value;
  }

  private static void require(boolean condition, String rule) {
    if (!condition) {
      throw new IllegalArgumentException(rule);
    }
  }
}
