// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Gathers texts for dotted keys from a file, the environment and flags; later sources win.
 *
 * <p>In YAML a dotted key may be written as nested maps. In the environment {@code
 * raft.electionTimeout} is {@code COORDINATOR_RAFT_ELECTION_TIMEOUT}.
 */
final class ConfigSources {

  private static final String ENVIRONMENT_PREFIX = "COORDINATOR_";

  /** A value as written, and where. */
  record Text(String value, String source) {}

  private final Map<String, Text> texts = new LinkedHashMap<>();

  void addFile(Path file) {
    JsonNode root;
    try {
      root =
          new ObjectMapper(
                  YAMLFactory.builder()
                      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                      .build())
              .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
              .readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new ConfigException(file + " is not well-formed YAML: " + e.getMessage());
    } catch (IOException e) {
      throw new ConfigException(file + " cannot be read: " + e);
    }
    if (root == null || root.isMissingNode() || root.isNull()) {
      return;
    }
    if (!root.isObject()) {
      throw new ConfigException(file + " must be a map of keys to values");
    }
    addNode("", root, "file " + file);
  }

  private void addNode(String path, JsonNode node, String source) {
    if (path.equals(Keys.MEMBERS.name()) && !node.isTextual()) {
      put(path, membersText(node, source), source);
    } else if (node.isObject()) {
      node.properties()
          .forEach(
              field ->
                  addNode(
                      path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                      field.getValue(),
                      source));
    } else if (node.isArray()) {
      throw new ConfigException(path + " must be a single value (" + source + ")");
    } else {
      put(path, node.isNull() ? "" : node.asText(), source);
    }
  }

  /** Gives the list form of the members the form that flags and the environment use. */
  private static String membersText(JsonNode list, String source) {
    var text = new StringBuilder();
    for (JsonNode member : list) {
      member
          .fieldNames()
          .forEachRemaining(
              field -> {
                if (!field.equals("id") && !field.equals("client") && !field.equals("peer")) {
                  throw new ConfigException(
                      "members." + field + " is not a known key (" + source + ")");
                }
              });
      if (!text.isEmpty()) {
        text.append(',');
      }
      text.append(member.path("id").asText())
          .append('=')
          .append(member.path("client").asText())
          .append('/')
          .append(member.path("peer").asText());
    }
    return text.toString();
  }

  /** A misspelt key must not be taken for one that was not given. */
  void addEnvironment(Map<String, String> environment) {
    Map<String, Key<?>> byVariable = new HashMap<>();
    Keys.all().forEach(key -> byVariable.put(variable(key.name()), key));
    environment.forEach(
        (variable, value) -> {
          if (variable.startsWith(ENVIRONMENT_PREFIX)) {
            Key<?> key = byVariable.get(variable);
            if (key == null) {
              throw new ConfigException(variable + " is not a known key (environment)");
            }
            put(key.name(), value, "environment variable " + variable);
          }
        });
  }

  void addFlags(Map<String, String> flags) {
    flags.forEach((name, value) -> put(name, value, "flag --" + name));
  }

  private void put(String name, String value, String source) {
    if (Keys.all().stream().noneMatch(key -> key.name().equals(name))) {
      throw new ConfigException(name + " is not a known key (" + source + ")");
    }
    texts.put(name, new Text(value.strip(), source));
  }

  boolean has(Key<?> key) {
    return texts.containsKey(key.name());
  }

  /** The value of the last source that has the key, or its default. */
  <T> T get(Key<T> key) {
    Text text = texts.get(key.name());
    if (text == null) {
      text = new Text(key.defaultText(), "default");
    }
    try {
      return key.parse().apply(text.value());
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          "%s = \"%s\" (%s): %s"
              .formatted(key.name(), text.value(), text.source(), e.getMessage()));
    }
  }

  /** The environment variable of a key. */
  static String variable(String keyName) {
    return ENVIRONMENT_PREFIX
        + keyName.replaceAll("([a-z])([A-Z])", "$1_$2").replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
