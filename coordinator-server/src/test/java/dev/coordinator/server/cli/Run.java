// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;

/** What a command line left behind. */
record Run(int exitCode, String out, String err) {

  static Run of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        CoordinatorCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    return new Run(exitCode, out.toString(), err.toString());
  }

  JsonNode json() throws Exception {
    return new ObjectMapper().readTree(out);
  }

  Run ok() {
    assertEquals(ExitCode.OK, exitCode, err);
    return this;
  }

  void fails(int code, String message) {
    assertEquals(code, exitCode, out + err);
    assertTrue(err.contains(message), err);
  }
}
