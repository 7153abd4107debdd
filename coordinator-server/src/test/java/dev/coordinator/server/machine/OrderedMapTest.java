// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class OrderedMapTest {

  private final Generation generation = new Generation();
  private final OrderedMap<Long, String> map =
      new OrderedMap<>(OrderedMap.Order.BY_NUMBER, generation);

  private static <T> List<T> list(Iterable<T> values) {
    List<T> list = new ArrayList<>();
    values.forEach(list::add);
    return list;
  }

  private OrderedMap<Long, String> freeze() {
    OrderedMap<Long, String> frozen = map.share();
    generation.freeze();
    return frozen;
  }

  /** With few keys, so that they come and go, and with many, so that trees are high. */
  @Test
  void agreesWithATreeMapNowAndAtEachFreeze() {
    RandomGenerator random = new SplittableRandom(3);
    TreeMap<Long, String> expected = new TreeMap<>();
    List<OrderedMap<Long, String>> frozen = new ArrayList<>();
    List<List<String>> contents = new ArrayList<>();
    for (int i = 0; i < 30_000; i++) {
      long key = random.nextInt(i % 2_000 < 1_000 ? 40 : 1_000);
      if (random.nextInt(5) < 3) {
        map.put(key, "value " + i);
        expected.put(key, "value " + i);
      } else {
        map.remove(key);
        expected.remove(key);
      }
      assertEquals(expected.get(key), map.get(key));
      assertEquals(expected.size(), map.size());
      if (random.nextInt(200) == 0) {
        MachineInvariants.checkShape(map, OrderedMap.Order.BY_NUMBER);
        assertEquals(new ArrayList<>(expected.values()), list(map.values()));
        assertEquals(expected.isEmpty() ? null : expected.firstEntry().getValue(), map.first());
        assertEquals(
            new ArrayList<>(expected.tailMap(key, true).values()), list(map.valuesFrom(key)));
        assertEquals(
            new ArrayList<>(expected.tailMap(key, false).values()), list(map.valuesAfter(key)));
        frozen.add(freeze());
        contents.add(new ArrayList<>(expected.values()));
      }
    }
    assertTrue(frozen.size() > 100, frozen.size() + " freezes");
    for (int i = 0; i < frozen.size(); i++) {
      assertEquals(contents.get(i), list(frozen.get(i).values()));
      MachineInvariants.checkShape(frozen.get(i), OrderedMap.Order.BY_NUMBER);
    }
  }

  @Test
  void isEmptyAtFirstAndAtLast() {
    assertTrue(map.isEmpty());
    assertNull(map.first());
    assertNull(map.get(1L));
    map.remove(1L);
    assertEquals(List.of(), list(map.values()));

    map.put(1L, "one");
    assertFalse(map.isEmpty());
    map.remove(1L);
    assertTrue(map.isEmpty());
    Iterator<String> none = map.values().iterator();
    assertThrows(NoSuchElementException.class, none::next);
  }

  /** What was copied once is changed in place until the next freeze. */
  @Test
  void copiesOncePerGeneration() {
    for (long key = 0; key < 1_000; key++) {
      map.put(key, "first");
    }
    OrderedMap.Node<Long, String> before = map.root();
    map.put(500L, "second");
    assertSame(before, map.root());

    OrderedMap<Long, String> frozen = freeze();
    map.put(500L, "third");
    OrderedMap.Node<Long, String> copy = map.root();
    assertSame(before, frozen.root());
    assertEquals("second", frozen.get(500L));
    assertEquals("third", map.get(500L));
    map.put(501L, "third");
    assertSame(copy, map.root());
  }

  @Test
  void ranksStringsInTheOrderOfTheirBytes() {
    List<String> units =
        List.of("", "\u0000", "a", "\u00e4", "\ud7ff", "\ue000", "\uffff", "\ud83d\udd12");
    List<String> texts = new ArrayList<>();
    for (String first : units) {
      for (String second : units) {
        for (String third : units) {
          texts.add(first + second + third);
          texts.add(first + second + third + "x");
        }
      }
    }
    for (String left : texts) {
      for (String right : texts) {
        int expected = Integer.signum(NaiveMachine.BY_BYTES.compare(left, right));
        assertEquals(expected, Integer.signum(Utf8Order.INSTANCE.compare(left, right)));
        int byRank = Long.compare(Utf8Order.INSTANCE.rank(left), Utf8Order.INSTANCE.rank(right));
        assertTrue(byRank == 0 || byRank == expected, left + " and " + right);
      }
    }
  }
}
