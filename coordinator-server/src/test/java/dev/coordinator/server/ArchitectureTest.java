// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.coordinator.server.ArchitectureRules.Rule;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The layers and bans of the server, and proof that each rule can fail: the package {@code
 * dev.coordinator.broken} has classes that break it, and no others may be reported.
 */
class ArchitectureTest {
  private static final String SERVER = "dev.coordinator.server";
  private static final String BROKEN = "dev.coordinator.broken";

  private static final JavaClasses SERVER_CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(SERVER);
  private static final JavaClasses BROKEN_CLASSES = new ClassFileImporter().importPackages(BROKEN);

  static Stream<Rule> server() {
    return new ArchitectureRules(SERVER).all().stream();
  }

  static Stream<Rule> broken() {
    return new ArchitectureRules(BROKEN).all().stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("server")
  void serverObeys(Rule rule) {
    rule.archRule().allowEmptyShould(true).check(SERVER_CLASSES);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("broken")
  void ruleCatchesWhatBreaksIt(Rule rule) {
    assertEquals(new TreeSet<>(rule.brokenBy()), offenders(rule));
  }

  /** The simple names of the classes that the report's lines begin with. */
  private static Set<String> offenders(Rule rule) {
    var report = rule.archRule().evaluate(BROKEN_CLASSES).getFailureReport().getDetails();
    return report.stream()
        .map(line -> line.substring(line.indexOf('<') + 1))
        .flatMap(line -> BROKEN_CLASSES.stream().filter(c -> isAbout(line, c)))
        .map(JavaClass::getSimpleName)
        .collect(toCollection(TreeSet::new));
  }

  private static boolean isAbout(String line, JavaClass suspect) {
    return line.startsWith(suspect.getName() + ">") || line.startsWith(suspect.getName() + ".");
  }
}
