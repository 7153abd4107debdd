// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaModifier.SYNCHRONIZED;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.elements.GivenClassesConjunction;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.Timer;
import java.util.TimerTask;
import java.util.UUID;
import java.util.WeakHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.ThreadFactory;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;

/**
 * The rules of the server's packages, for any base package, so that the same rules can be held
 * against the server and against classes made to break them.
 */
record ArchitectureRules(String base) {

  /** A rule and the simple names of the classes, under the broken base package, that break it. */
  record Rule(ArchRule archRule, Set<String> brokenBy) {
    @Override
    public String toString() {
      return archRule.getDescription();
    }
  }

  /** Below the root and {@code cli}, which may import everything; top row first. */
  private static final List<List<String>> ROWS =
      List.of(
          List.of("api"),
          List.of("runtime", "storage", "transport"),
          List.of("ports", "wire"),
          List.of("raft", "machine", "metrics", "config"));

  private static final List<Class<?>> HASH_ORDERED =
      List.of(HashMap.class, HashSet.class, IdentityHashMap.class, WeakHashMap.class);

  List<Rule> all() {
    var rules = new ArrayList<Rule>();
    rules.add(new Rule(everyClassHasARow(), Set.of("DumpingGround")));
    rules.add(imports("api", "ImportsRoot"));
    rules.add(imports("runtime", "ImportsStorage"));
    rules.add(imports("storage", "ImportsTransport"));
    rules.add(imports("transport", "ImportsApi"));
    rules.add(imports("ports", "ImportsWire"));
    rules.add(imports("wire", "ImportsRuntime"));
    rules.add(imports("raft", "ImportsMachine"));
    rules.add(imports("machine", "ImportsPorts"));
    rules.add(imports("metrics", "ImportsRaft"));
    rules.add(imports("config", "ImportsMetrics"));
    rules.add(new Rule(onlyTheTopSeesTheConfig(), Set.of("ReadsConfig")));
    rules.add(new Rule(onlyCliUsesTheSdk(), Set.of("CallsByTheSdk")));
    rules.add(new Rule(pure("raft"), Set.of("ImportsMachine", "Logs", "SharesAtomics")));
    rules.add(new Rule(pure("machine"), Set.of("ImportsPorts", "ReadsFiles", "SpeaksProtobuf")));
    rules.add(new Rule(noProcess(), Set.of("ReadsEnvironment")));
    rules.add(new Rule(noSynchronizedMethods(), Set.of("Synchronizes")));
    rules.add(
        new Rule(
            timeAndChanceAreHandedIn(),
            Set.of("ReadsClock", "RollsDice", "NamesByUuid", "PassesClockOn")));
    rules.add(new Rule(noHashOrder(), Set.of("IteratesHashMap", "IteratesSaltedSet")));
    rules.add(new Rule(grpcStaysAtTheEdge(), Set.of("SpeaksProtobuf", "SpeaksGrpc")));
    rules.add(new Rule(threadsHaveOwners(), Set.of("StartsThread", "TakesExecutor")));
    return rules;
  }

  private ArchRule everyClassHasARow() {
    var known = Stream.concat(Stream.of(base, in("cli")), Stream.of(in(rowsFrom(0))));
    return classes()
        .that()
        .resideInAPackage(base + "..")
        .should()
        .resideInAnyPackage(known.toArray(String[]::new))
        .as("every class lives in a package of the plan");
  }

  private Rule imports(String name, String brokenBy) {
    var row = 0;
    while (!ROWS.get(row).contains(name)) {
      row++;
    }
    var allowed = new ArrayList<String>(List.of(in(rowsFrom(row + 1))));
    allowed.add(in(name));
    var rest =
        resideInAnyPackage(base + "..")
            .and(not(resideInAnyPackage(allowed.toArray(String[]::new))));
    return new Rule(
        noClassesIn(name).should().dependOnClassesThat(rest).as(name + " imports only lower rows"),
        Set.of(brokenBy));
  }

  private ArchRule onlyTheTopSeesTheConfig() {
    return noClasses()
        .that()
        .resideOutsideOfPackages(base, in("cli"), in("config"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage(in("config"))
        .as("only the root and cli import config");
  }

  private ArchRule onlyCliUsesTheSdk() {
    return noClasses()
        .that()
        .resideOutsideOfPackage(in("cli"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.coordinator.client..")
        .as("only cli uses the SDK");
  }

  private ArchRule pure(String name) {
    return classes()
        .that()
        .resideInAPackage(in(name))
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java.lang", "java.util", "java.util.function", "java.util.random", in(name))
        .as(name + " uses only java.lang, java.util and itself");
  }

  private ArchRule noProcess() {
    var process =
        access(
            "the process or its environment",
            target ->
                isAny(target, Process.class, ProcessBuilder.class, Runtime.class)
                    || isNamed(target, System.class, "exit", "getenv", "getProperty"));
    return noClassesIn("raft", "machine")
        .should()
        .accessTargetWhere(process)
        .as("raft and machine do not know the process that they run in");
  }

  private ArchRule noSynchronizedMethods() {
    return noMethods()
        .that()
        .areDeclaredInClassesThat(resideInAnyPackage(in("raft"), in("machine")))
        .should()
        .haveModifier(SYNCHRONIZED)
        .as("raft and machine do not synchronize");
  }

  private ArchRule timeAndChanceAreHandedIn() {
    var source =
        access("a clock or a source of chance", target -> readsTime(target) || isChance(target));
    return noClassesIn("raft", "machine", "runtime")
        .should()
        .accessTargetWhere(source)
        .as("raft, machine and runtime are handed time and chance");
  }

  private static boolean readsTime(AccessTarget target) {
    return isAny(target, Clock.class, Date.class, Calendar.class)
        || isNamed(target, System.class, "nanoTime", "currentTimeMillis")
        || (target.getName().equals("now")
            && target.getOwner().getPackageName().equals("java.time"));
  }

  private static boolean isChance(AccessTarget target) {
    return isAny(target, SplittableRandom.class, RandomGeneratorFactory.class)
        || target.getOwner().isAssignableTo(Random.class)
        || isNamed(target, RandomGenerator.class, "of", "getDefault")
        || isNamed(target, Math.class, "random")
        || isNamed(target, UUID.class, "randomUUID");
  }

  private ArchRule noHashOrder() {
    var salted = access("an immutable map or set", ArchitectureRules::hasSaltedOrder);
    return noClassesIn("machine")
        .should()
        .dependOnClassesThat(
            describe("hash-ordered", c -> HASH_ORDERED.stream().anyMatch(c::isEquivalentTo)))
        .orShould()
        .accessTargetWhere(salted)
        .as("machine has no hash order");
  }

  /** True of what makes an immutable collection of two or more: its order is salted per JVM. */
  private static boolean hasSaltedOrder(AccessTarget target) {
    if (!isAny(target, Map.class, Set.class) || !(target instanceof CodeUnitAccessTarget method)) {
      return false;
    }
    var parameters = method.getRawParameterTypes();
    var atMostOne = target.getOwner().isEquivalentTo(Map.class) ? 2 : 1;
    return switch (target.getName()) {
      case "copyOf", "ofEntries" -> true;
      case "of" ->
          parameters.size() > atMostOne || parameters.stream().anyMatch(JavaClass::isArray);
      default -> false;
    };
  }

  private ArchRule grpcStaysAtTheEdge() {
    return noClasses()
        .that()
        .resideOutsideOfPackages(base, in("cli"), in("api"), in("transport"), in("wire"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.grpc..",
            "com.google.protobuf..",
            "com.google.rpc..",
            "dev.coordinator.v1..",
            "dev.coordinator.internal.v1..")
        .as("protobuf and gRPC appear only in wire, transport, api, cli and the root");
  }

  private ArchRule threadsHaveOwners() {
    var threads =
        assignableTo(Thread.class)
            .or(assignableTo(Executor.class))
            .or(assignableTo(ThreadFactory.class))
            .or(assignableTo(ForkJoinTask.class))
            .or(assignableTo(Executors.class))
            .or(assignableTo(Timer.class))
            .or(assignableTo(TimerTask.class));
    return noClassesIn("ports", "wire", "raft", "machine", "metrics", "config")
        .should()
        .dependOnClassesThat(threads)
        .as("threads live only in runtime, storage, transport, api, cli and the root");
  }

  private GivenClassesConjunction noClassesIn(String... names) {
    return noClasses().that().resideInAnyPackage(in(names));
  }

  private String in(String name) {
    return base + "." + name + "..";
  }

  private String[] in(String... names) {
    return Stream.of(names).map(this::in).toArray(String[]::new);
  }

  private static String[] rowsFrom(int first) {
    return ROWS.subList(first, ROWS.size()).stream().flatMap(List::stream).toArray(String[]::new);
  }

  private static DescribedPredicate<JavaAccess<?>> access(
      String what, Predicate<AccessTarget> predicate) {
    return describe(what, access -> predicate.test(access.getTarget()));
  }

  private static boolean isAny(AccessTarget target, Class<?>... owners) {
    return Stream.of(owners).anyMatch(target.getOwner()::isEquivalentTo);
  }

  private static boolean isNamed(AccessTarget target, Class<?> owner, String... names) {
    return isAny(target, owner) && Set.of(names).contains(target.getName());
  }
}
