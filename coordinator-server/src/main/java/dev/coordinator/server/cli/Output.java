// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintWriter;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The option {@code --output}, and the two ways to write a result that it chooses between. */
public final class Output {

  private static final ObjectMapper PRETTY =
      new ObjectMapper()
          .setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL)
          .enable(SerializationFeature.INDENT_OUTPUT);
  private static final ObjectMapper LINE =
      new ObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      paramLabel = "FORMAT",
      description = "table for people, json for scripts. Default: ${DEFAULT-VALUE}.")
  private OutputFormat format;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** Writes the value as JSON, or its text for people. */
  public void print(Object value, Supplier<?> text) {
    PrintWriter out = command.commandLine().getOut();
    if (isJson()) {
      out.println(toJson(PRETTY, value));
    } else {
      out.println(text.get().toString().stripTrailing());
    }
    out.flush();
  }

  /** As {@link #print}, with JSON on one line: one step of a stream. */
  public void printLine(Object value, Supplier<?> text) {
    PrintWriter out = command.commandLine().getOut();
    out.println(isJson() ? toJson(LINE, value) : text.get());
    out.flush();
  }

  public boolean isJson() {
    return format == OutputFormat.json;
  }

  private static String toJson(ObjectMapper mapper, Object value) {
    try {
      return mapper.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a result that JSON cannot express", e);
    }
  }
}
