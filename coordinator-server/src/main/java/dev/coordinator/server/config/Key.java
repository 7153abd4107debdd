// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import java.util.function.Function;

/**
 * One key of the configuration.
 *
 * @param parse throws IllegalArgumentException with the rule that a text breaks
 */
record Key<T>(String name, String defaultText, Function<String, T> parse, String meaning) {}
