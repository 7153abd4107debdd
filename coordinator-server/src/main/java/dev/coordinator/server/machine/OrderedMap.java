// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * An ordered map that shares with its older selves what has not changed since: an AVL tree whose
 * nodes are copied before they are changed, unless they are of the present {@link Generation}. So
 * each node is copied at most once between two freezes, and {@link #share} copies nothing.
 *
 * <p>Changing a map while one of its iterators is in use is not allowed, and not noticed.
 */
final class OrderedMap<K, V> {

  /**
   * How keys are ordered: first by a number, which compares without a look at the key itself, and
   * then, if the numbers are equal, in full.
   */
  interface Order<K> {

    Order<Long> BY_NUMBER =
        new Order<>() {
          @Override
          public long rank(Long key) {
            return key;
          }

          @Override
          public int compareEquallyRanked(Long left, Long right) {
            return 0;
          }
        };

    long rank(K key);

    int compareEquallyRanked(K left, K right);
  }

  static final class Node<K, V> {
    final long generation;
    long rank;
    K key;
    V value;
    Node<K, V> left;
    Node<K, V> right;
    int height;

    private Node(long generation, long rank, K key, V value) {
      this.generation = generation;
      this.rank = rank;
      this.key = key;
      this.value = value;
      height = 1;
    }

    private Node(long generation, Node<K, V> other) {
      this.generation = generation;
      rank = other.rank;
      key = other.key;
      value = other.value;
      left = other.left;
      right = other.right;
      height = other.height;
    }
  }

  private final Order<? super K> order;
  private final Generation generation;
  private Node<K, V> root;
  private int size;

  OrderedMap(Order<? super K> order, Generation generation) {
    this.order = order;
    this.generation = generation;
  }

  private OrderedMap(OrderedMap<K, V> other) {
    order = other.order;
    generation = other.generation;
    root = other.root;
    size = other.size;
  }

  /** Another map of the same content. The generation must end before either is changed. */
  OrderedMap<K, V> share() {
    return new OrderedMap<>(this);
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /** For checks; null if the map is empty. */
  Node<K, V> root() {
    return root;
  }

  /** Null if there is none. */
  V get(K key) {
    long rank = order.rank(key);
    Node<K, V> node = root;
    while (node != null) {
      int side = compare(rank, key, node);
      if (side == 0) {
        return node.value;
      }
      node = side < 0 ? node.left : node.right;
    }
    return null;
  }

  /** The value of the least key, or null. */
  V first() {
    return root == null ? null : leftmost(root).value;
  }

  /** Adds a value, or puts it in the place of the one that is there. */
  void put(K key, V value) {
    root = put(root, order.rank(key), key, value);
  }

  /** Does nothing if there is no such key. */
  void remove(K key) {
    root = remove(root, order.rank(key), key);
  }

  /** All values by rising keys. */
  Iterable<V> values() {
    return () -> {
      Values<K, V> values = new Values<>(height(root));
      values.pushLeftSpine(root);
      return values;
    };
  }

  /** The values of a key and of larger ones, by rising keys. */
  Iterable<V> valuesFrom(K key) {
    return () -> valuesAbove(key, true);
  }

  /** The values of larger keys, by rising keys. */
  Iterable<V> valuesAfter(K key) {
    return () -> valuesAbove(key, false);
  }

  private Iterator<V> valuesAbove(K key, boolean inclusive) {
    Values<K, V> values = new Values<>(height(root));
    long rank = order.rank(key);
    Node<K, V> node = root;
    while (node != null) {
      int side = compare(rank, key, node);
      if (side < 0 || (side == 0 && inclusive)) {
        values.push(node);
        node = node.left;
      } else {
        node = node.right;
      }
    }
    return values;
  }

  private int compare(long rank, K key, Node<K, V> node) {
    return rank == node.rank
        ? order.compareEquallyRanked(key, node.key)
        : (rank < node.rank ? -1 : 1);
  }

  private Node<K, V> put(Node<K, V> node, long rank, K key, V value) {
    if (node == null) {
      size++;
      return new Node<>(generation.number(), rank, key, value);
    }
    int side = compare(rank, key, node);
    Node<K, V> own = own(node);
    if (side == 0) {
      own.value = value;
      return own;
    }
    if (side < 0) {
      int before = height(own.left);
      own.left = put(own.left, rank, key, value);
      return own.left.height == before ? own : balanced(own);
    }
    int before = height(own.right);
    own.right = put(own.right, rank, key, value);
    return own.right.height == before ? own : balanced(own);
  }

  private Node<K, V> remove(Node<K, V> node, long rank, K key) {
    if (node == null) {
      return null;
    }
    int side = compare(rank, key, node);
    if (side == 0) {
      size--;
      return withoutTop(node);
    }
    Node<K, V> own = own(node);
    if (side < 0) {
      int before = height(own.left);
      own.left = remove(own.left, rank, key);
      return height(own.left) == before ? own : balanced(own);
    }
    int before = height(own.right);
    own.right = remove(own.right, rank, key);
    return height(own.right) == before ? own : balanced(own);
  }

  private Node<K, V> withoutTop(Node<K, V> node) {
    if (node.left == null) {
      return node.right;
    }
    if (node.right == null) {
      return node.left;
    }
    Node<K, V> next = leftmost(node.right);
    Node<K, V> own = own(node);
    own.rank = next.rank;
    own.key = next.key;
    own.value = next.value;
    own.right = withoutLeftmost(own.right);
    return balanced(own);
  }

  private Node<K, V> withoutLeftmost(Node<K, V> node) {
    if (node.left == null) {
      return node.right;
    }
    Node<K, V> own = own(node);
    own.left = withoutLeftmost(own.left);
    return balanced(own);
  }

  private Node<K, V> own(Node<K, V> node) {
    return node.generation == generation.number() ? node : new Node<>(generation.number(), node);
  }

  private static <K, V> Node<K, V> leftmost(Node<K, V> node) {
    Node<K, V> leftmost = node;
    while (leftmost.left != null) {
      leftmost = leftmost.left;
    }
    return leftmost;
  }

  private static int height(Node<?, ?> node) {
    return node == null ? 0 : node.height;
  }

  private static void measure(Node<?, ?> node) {
    node.height = 1 + Math.max(height(node.left), height(node.right));
  }

  /** The top of a subtree whose sides may have come to differ by two levels. */
  private Node<K, V> balanced(Node<K, V> own) {
    int lean = height(own.left) - height(own.right);
    if (lean > 1) {
      if (height(own.left.left) < height(own.left.right)) {
        own.left = rotatedLeft(own(own.left));
      }
      return rotatedRight(own);
    }
    if (lean < -1) {
      if (height(own.right.right) < height(own.right.left)) {
        own.right = rotatedRight(own(own.right));
      }
      return rotatedLeft(own);
    }
    measure(own);
    return own;
  }

  private Node<K, V> rotatedRight(Node<K, V> own) {
    Node<K, V> top = own(own.left);
    own.left = top.right;
    top.right = own;
    measure(own);
    measure(top);
    return top;
  }

  private Node<K, V> rotatedLeft(Node<K, V> own) {
    Node<K, V> top = own(own.right);
    own.right = top.left;
    top.left = own;
    measure(own);
    measure(top);
    return top;
  }

  /** Walks the tree; the stack holds the nodes that come next and whose left sides are done. */
  private static final class Values<K, V> implements Iterator<V> {
    private final Node<K, V>[] stack;
    private int depth;

    @SuppressWarnings("unchecked") // generic arrays can only be made so
    Values(int height) {
      stack = (Node<K, V>[]) new Node<?, ?>[height];
    }

    void push(Node<K, V> node) {
      stack[depth++] = node;
    }

    void pushLeftSpine(Node<K, V> from) {
      for (Node<K, V> node = from; node != null; node = node.left) {
        push(node);
      }
    }

    @Override
    public boolean hasNext() {
      return depth > 0;
    }

    @Override
    public V next() {
      if (depth == 0) {
        throw new NoSuchElementException();
      }
      Node<K, V> node = stack[--depth];
      pushLeftSpine(node.right);
      return node.value;
    }
  }
}
