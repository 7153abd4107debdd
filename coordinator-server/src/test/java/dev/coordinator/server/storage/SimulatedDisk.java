// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * A {@link Disk} in memory that keeps after a power cut what a real one would: all that was forced,
 * and of the rest any sectors, one of them perhaps torn in the middle; of renamings and the like
 * that were not synced, the first few.
 *
 * <p>{@link #kill} ends the process: what it wrote stays in the page cache, not yet durable. {@link
 * #powerCut} takes the page cache as well. Both make open files unusable, so that a dead process
 * cannot write on.
 *
 * <p>A {@link Fault} can refuse, stop or observe every operation before it happens. If it makes a
 * force fail with an {@link IOException}, the disk does what Linux does: the page cache keeps the
 * data but takes it for clean, and no later force writes it. Thread-safe.
 */
public final class SimulatedDisk implements Disk {

  public static final int SECTOR_BYTES = 512;

  /** What a {@link Fault} is asked about. */
  public enum Operation {
    CREATE,
    OPEN,
    WRITE,
    FORCE,
    RENAME,
    DELETE,
    SYNC_DIRECTORY
  }

  /** Called before an operation, outside of any lock. */
  @FunctionalInterface
  public interface Fault {

    Fault NONE = (operation, file) -> {};

    void before(Operation operation, String file) throws IOException;
  }

  private static final class Inode {
    private byte[] cached = new byte[0];
    private byte[] durable = new byte[0];
    private final BitSet dirtySectors = new BitSet();

    void write(ByteBuffer source, int count, int position) {
      if (position + count > cached.length) {
        cached = Arrays.copyOf(cached, position + count);
      }
      source.get(cached, position, count);
      if (count > 0) {
        dirtySectors.set(position / SECTOR_BYTES, (position + count - 1) / SECTOR_BYTES + 1);
      }
    }

    void force() {
      keepLength();
      for (int sector = dirtySectors.nextSetBit(0);
          sector >= 0;
          sector = dirtySectors.nextSetBit(sector + 1)) {
        keep(sector, SECTOR_BYTES);
      }
      dirtySectors.clear();
    }

    private void keepLength() {
      if (durable.length != cached.length) {
        durable = Arrays.copyOf(durable, cached.length);
      }
    }

    private void keep(int sector, int bytes) {
      int start = sector * SECTOR_BYTES;
      int end = Math.min(start + bytes, cached.length);
      if (durable.length < end) {
        durable = Arrays.copyOf(durable, end);
      }
      System.arraycopy(cached, start, durable, start, end - start);
    }

    void powerCut(RandomGenerator random) {
      if (random.nextBoolean()) {
        keepLength();
      }
      int[] dirty = dirtySectors.stream().toArray();
      int kept = dirty.length == 0 ? 0 : random.nextInt(dirty.length + 1);
      if (random.nextBoolean()) {
        shuffle(dirty, random);
      }
      for (int i = 0; i < kept; i++) {
        keep(dirty[i], SECTOR_BYTES);
      }
      if (kept < dirty.length && random.nextBoolean()) {
        keep(dirty[kept], random.nextInt(SECTOR_BYTES));
      }
      if (!Arrays.equals(cached, durable)) {
        cached = durable.clone();
      }
      dirtySectors.clear();
    }

    private static void shuffle(int[] values, RandomGenerator random) {
      for (int i = values.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int value = values[i];
        values[i] = values[j];
        values[j] = value;
      }
    }
  }

  private Map<String, Inode> names = new TreeMap<>();
  private Map<String, Inode> durableNames = new TreeMap<>();
  private final List<Consumer<Map<String, Inode>>> unsyncedNames = new ArrayList<>();
  private volatile Fault fault = Fault.NONE;
  private long capacityBytes = Long.MAX_VALUE;
  private int life;

  public void setFault(Fault fault) {
    this.fault = fault;
  }

  /** From now on files together get no larger than this. */
  public synchronized void setCapacityBytes(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  public synchronized long usedBytes() {
    return names.values().stream().mapToLong(file -> file.cached.length).sum();
  }

  /** Ends the process that uses this disk, but not the machine. */
  public synchronized void kill() {
    life++;
  }

  /** Cuts the power; the generator decides what of the unsynced survives. */
  public synchronized void powerCut(RandomGenerator random) {
    life++;
    int kept = unsyncedNames.isEmpty() ? 0 : random.nextInt(unsyncedNames.size() + 1);
    unsyncedNames.subList(0, kept).forEach(change -> change.accept(durableNames));
    unsyncedNames.clear();
    names = new TreeMap<>(durableNames);
    names.values().forEach(inode -> inode.powerCut(random));
  }

  /** Makes everything durable that is not yet, as the kernel does in its own time. */
  public synchronized void settle() {
    unsyncedNames.clear();
    durableNames = new TreeMap<>(names);
    names.values().forEach(Inode::force);
  }

  /** The bytes of a file as a reader would see them. */
  public synchronized byte[] content(String name) {
    return names.get(name).cached.clone();
  }

  /** Replaces a file behind the log's back, durably; null removes it. */
  public synchronized void replace(String name, byte[] content) {
    if (content == null) {
      names.remove(name);
      durableNames.remove(name);
      return;
    }
    Inode inode = new Inode();
    inode.cached = content.clone();
    inode.durable = content.clone();
    names.put(name, inode);
    durableNames.put(name, inode);
  }

  /** A disk with the same files, all of them durable. */
  public synchronized SimulatedDisk copy() {
    SimulatedDisk copy = new SimulatedDisk();
    names.forEach((name, inode) -> copy.replace(name, inode.cached));
    return copy;
  }

  @Override
  public synchronized List<String> list() {
    return List.copyOf(names.keySet());
  }

  @Override
  public DiskFile create(String name) throws IOException {
    fault.before(Operation.CREATE, name);
    synchronized (this) {
      if (names.containsKey(name)) {
        throw new FileAlreadyExistsException(name);
      }
      Inode inode = new Inode();
      changeNames(map -> map.put(name, inode));
      return new OpenFile(inode, life);
    }
  }

  @Override
  public DiskFile open(String name) throws IOException {
    fault.before(Operation.OPEN, name);
    synchronized (this) {
      return new OpenFile(existing(name), life);
    }
  }

  @Override
  public void rename(String from, String to) throws IOException {
    fault.before(Operation.RENAME, from);
    synchronized (this) {
      Inode inode = existing(from);
      changeNames(
          map -> {
            map.remove(from);
            map.put(to, inode);
          });
    }
  }

  @Override
  public void delete(String name) throws IOException {
    fault.before(Operation.DELETE, name);
    synchronized (this) {
      existing(name);
      changeNames(map -> map.remove(name));
    }
  }

  @Override
  public void syncDirectory() throws IOException {
    fault.before(Operation.SYNC_DIRECTORY, ".");
    synchronized (this) {
      unsyncedNames.clear();
      durableNames = new TreeMap<>(names);
    }
  }

  @Override
  public String describe(String name) {
    return "simulated/" + name;
  }

  private Inode existing(String name) throws NoSuchFileException {
    Inode inode = names.get(name);
    if (inode == null) {
      throw new NoSuchFileException(name);
    }
    return inode;
  }

  private synchronized String nameOf(Inode inode) {
    for (Map.Entry<String, Inode> file : names.entrySet()) {
      if (file.getValue() == inode) {
        return file.getKey();
      }
    }
    return "a deleted file";
  }

  private void changeNames(Consumer<Map<String, Inode>> change) {
    change.accept(names);
    unsyncedNames.add(change);
  }

  private final class OpenFile implements DiskFile {

    private final Inode inode;
    private final int openedInLife;
    private boolean closed;

    private OpenFile(Inode inode, int openedInLife) {
      this.inode = inode;
      this.openedInLife = openedInLife;
    }

    @Override
    public long size() throws IOException {
      synchronized (SimulatedDisk.this) {
        checkUsable();
        return inode.cached.length;
      }
    }

    @Override
    public void read(ByteBuffer target, long position) throws IOException {
      synchronized (SimulatedDisk.this) {
        checkUsable();
        int count = (int) Math.min(target.remaining(), inode.cached.length - position);
        if (count > 0) {
          target.put(inode.cached, (int) position, count);
        }
      }
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
      fault.before(Operation.WRITE, nameOf(inode));
      synchronized (SimulatedDisk.this) {
        checkUsable();
        long growth = position + source.remaining() - inode.cached.length;
        long missing =
            growth <= 0 || capacityBytes == Long.MAX_VALUE
                ? 0
                : Math.max(0, Math.min(growth, usedBytes() + growth - capacityBytes));
        int count = (int) Math.max(0, source.remaining() - missing);
        inode.write(source, count, (int) position);
        if (missing > 0) {
          throw new IOException("No space left on device");
        }
      }
    }

    @Override
    public void force() throws IOException {
      try {
        fault.before(Operation.FORCE, nameOf(inode));
      } catch (IOException e) {
        synchronized (SimulatedDisk.this) {
          inode.dirtySectors.clear();
        }
        throw e;
      }
      synchronized (SimulatedDisk.this) {
        checkUsable();
        inode.force();
      }
    }

    @Override
    public void close() {
      closed = true;
    }

    private void checkUsable() throws IOException {
      if (closed || openedInLife != life) {
        throw new IOException(nameOf(inode) + " is closed");
      }
    }
  }
}
