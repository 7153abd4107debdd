// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the lines of a {@link GuardedFile} tell about the workers that wrote them.
 *
 * @param lines how many there are
 * @param lastToken the token of the last line
 * @param lastWorker who wrote it; empty if there is no line
 * @param terms how often the lead went from one token to another, the first one included
 * @param problems what should not be there; empty if all is well
 */
record FileAudit(long lines, long lastToken, String lastWorker, int terms, List<String> problems) {

  private static final int MOST_PROBLEMS = 20;

  /**
   * Checks that sequence numbers follow each other without gap or overlap, that tokens never fall,
   * and that each token belongs to one worker.
   */
  static FileAudit of(List<String> lines) {
    List<String> problems = new ArrayList<>();
    Map<Long, String> workers = new HashMap<>();
    long sequence = 0;
    long token = 0;
    String worker = "";
    for (String line : lines) {
      String[] fields = line.split(" ", -1);
      if (fields.length != 3 || !fields[0].matches("\\d+") || !fields[1].matches("\\d+")) {
        problems.add("line " + (sequence + 1) + " is damaged: '" + line + "'");
        continue;
      }
      long lineToken = Long.parseUnsignedLong(fields[0]);
      long lineSequence = Long.parseLong(fields[1]);
      if (lineSequence != sequence + 1) {
        problems.add("sequence number " + lineSequence + " follows " + sequence);
      }
      if (Long.compareUnsigned(lineToken, token) < 0) {
        problems.add("token " + lineToken + " follows token " + token);
      }
      worker = fields[2];
      String owner = workers.putIfAbsent(lineToken, worker);
      if (owner != null && !owner.equals(worker)) {
        problems.add("token " + lineToken + " belongs to " + owner + " and to " + worker);
      }
      sequence = lineSequence;
      token = lineToken;
    }
    int shown = Math.min(problems.size(), MOST_PROBLEMS);
    return new FileAudit(
        lines.size(), token, worker, workers.size(), List.copyOf(problems.subList(0, shown)));
  }
}
