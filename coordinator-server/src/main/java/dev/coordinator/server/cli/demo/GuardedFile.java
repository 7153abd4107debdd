// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import dev.coordinator.client.StaleTokenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that several processes append lines to, and that refuses a fencing token smaller than one
 * it has seen.
 *
 * <p>This is the other half of a lock service: the resource itself keeps the highest token (in a
 * file beside it) and checks every write against it, so that a holder which was paused past its
 * lease can do no harm. A real resource does the same with a column of its table or a field of its
 * object.
 */
final class GuardedFile {

  /** The widest unsigned 64-bit number. */
  private static final int TOKEN_DIGITS = 20;

  private final Path file;
  private final Path guard;

  GuardedFile(Path file) {
    this.file = file;
    this.guard = file.resolveSibling(file.getFileName() + ".token");
  }

  /**
   * Presents a token for the first time. From then on smaller ones are refused, so nothing comes
   * between what this finds in the file and what its holder appends.
   *
   * @return the sequence number of the last line; 0 if there is none
   * @throws StaleTokenException if a higher token was seen
   */
  long claim(long token) throws IOException {
    try (FileChannel guardChannel = openExclusively(guard)) {
      accept(guardChannel, token);
      try (FileChannel data = open(file)) {
        return lastSequence(data);
      }
    }
  }

  /**
   * Appends a line.
   *
   * @throws StaleTokenException if a higher token was seen; the file is as it was then
   */
  void append(long token, long sequence, String worker) throws IOException {
    try (FileChannel guardChannel = openExclusively(guard)) {
      accept(guardChannel, token);
      try (FileChannel data = open(file)) {
        String line = Long.toUnsignedString(token) + " " + sequence + " " + worker + "\n";
        writeFully(data, data.size(), line);
      }
    }
  }

  private static void accept(FileChannel guardChannel, long token) throws IOException {
    String stored = read(guardChannel, 0).strip();
    long highest = stored.isEmpty() ? 0 : Long.parseUnsignedLong(stored);
    if (Long.compareUnsigned(token, highest) < 0) {
      throw new StaleTokenException(token, highest);
    }
    if (token != highest) {
      String digits = Long.toUnsignedString(token);
      writeFully(guardChannel, 0, "0".repeat(TOKEN_DIGITS - digits.length()) + digits);
    }
  }

  /** Cuts off what a killed writer left of a line, so that the next line stands by itself. */
  private static long lastSequence(FileChannel data) throws IOException {
    String text = read(data, 0);
    int end = text.lastIndexOf('\n') + 1;
    data.truncate(end);
    if (end == 0) {
      return 0;
    }
    String line = text.substring(text.lastIndexOf('\n', end - 2) + 1, end - 1);
    return Long.parseLong(line.split(" ", -1)[1]);
  }

  /** Nobody else opens the file in this way until it is closed. */
  private static FileChannel openExclusively(Path path) throws IOException {
    FileChannel channel = open(path);
    // Closing the channel releases it, and so does the death of the process.
    channel.lock();
    return channel;
  }

  private static FileChannel open(Path path) throws IOException {
    return FileChannel.open(
        path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static String read(FileChannel channel, long from) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(channel.size() - from));
    while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) >= 0) {
      // The loop's condition reads.
    }
    return new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
  }

  private static void writeFully(FileChannel channel, long position, String text)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }
}
