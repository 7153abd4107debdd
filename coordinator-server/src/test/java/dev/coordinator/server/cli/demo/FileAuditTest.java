// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class FileAuditTest {

  private static List<String> problems(String... lines) {
    return FileAudit.of(List.of(lines)).problems();
  }

  @Test
  void acceptsAnOrderlyFile() {
    FileAudit audit = FileAudit.of(List.of("3 1 a", "3 2 a", "9 3 b", "12 4 a"));
    assertEquals(new FileAudit(4, 12, "a", 3, List.of()), audit);
  }

  @Test
  void findsAGap() {
    assertEquals(List.of("sequence number 3 follows 1"), problems("3 1 a", "3 3 a"));
  }

  @Test
  void findsAnOverlap() {
    assertEquals(List.of("sequence number 1 follows 1"), problems("3 1 a", "4 1 b"));
  }

  @Test
  void findsATokenThatFalls() {
    assertEquals(List.of("token 3 follows token 4"), problems("4 1 a", "3 2 b"));
  }

  @Test
  void findsATokenOfTwoWorkers() {
    assertEquals(List.of("token 4 belongs to a and to b"), problems("4 1 a", "4 2 b"));
  }

  @Test
  void findsADamagedLine() {
    assertEquals(List.of("line 2 is damaged: '4 2'"), problems("4 1 a", "4 2", "4 2 a"));
  }
}
