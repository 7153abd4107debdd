// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.NodeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The small text file that says whose data directory this is, as {@code key=value} lines with a
 * checksum in the last one.
 */
final class IdentityFile {

  private static final String NAME = "identity";
  private static final String TEMPORARY_NAME = "identity.tmp";
  private static final String FORMAT = "1";

  private static final String FORMAT_KEY = "format";
  private static final String CLUSTER_KEY = "cluster";
  private static final String MEMBER_KEY = "member";
  private static final String SALT_KEY = "salt";
  private static final String LOG_BEGUN_KEY = "log-begun";
  private static final String CHECKSUM_KEY = "crc32c";

  private final Path directory;

  IdentityFile(Path directory) {
    this.directory = directory;
  }

  /**
   * What the file says.
   *
   * @param logBegun whether a log was begun, so that its absence is a loss
   */
  record Content(LogIdentity identity, boolean logBegun) {}

  Optional<Content> read() throws IOException {
    String text;
    try {
      text = Files.readString(directory.resolve(NAME), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    String checksumLine = CHECKSUM_KEY + "=";
    int body = text.lastIndexOf(checksumLine);
    if (body < 0 || !text.substring(body).equals(checksumLine + checksum(text, body) + "\n")) {
      throw damaged("its checksum is wrong");
    }
    Map<String, String> values = new LinkedHashMap<>();
    text.substring(0, body)
        .lines()
        .forEach(
            line -> {
              int equals = line.indexOf('=');
              if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
              }
            });
    if (!FORMAT.equals(values.get(FORMAT_KEY))) {
      throw new StorageException(
          String.format(
              "%s has format %s, this program knows %s: use the version of the program that wrote"
                  + " it, or a newer one",
              directory.resolve(NAME), values.get(FORMAT_KEY), FORMAT));
    }
    try {
      LogIdentity identity =
          new LogIdentity(
              values.getOrDefault(CLUSTER_KEY, ""),
              new NodeId(Long.parseUnsignedLong(values.getOrDefault(MEMBER_KEY, ""))),
              HexFormat.fromHexDigitsToLong(values.getOrDefault(SALT_KEY, "")));
      return Optional.of(new Content(identity, Boolean.parseBoolean(values.get(LOG_BEGUN_KEY))));
    } catch (IllegalArgumentException e) {
      throw damaged(e.getMessage());
    }
  }

  /** Replaces the file, so that a power cut leaves the old one or the new one. */
  void write(Content content) throws IOException {
    LogIdentity identity = content.identity();
    String body =
        String.format(
                "%s=%s%n%s=%s%n%s=%s%n%s=%s%n%s=%s%n",
                FORMAT_KEY,
                FORMAT,
                CLUSTER_KEY,
                identity.clusterId(),
                MEMBER_KEY,
                identity.memberId(),
                SALT_KEY,
                HexFormat.of().toHexDigits(identity.salt()),
                LOG_BEGUN_KEY,
                content.logBegun())
            .replace(System.lineSeparator(), "\n");
    String text = body + CHECKSUM_KEY + "=" + checksum(body, body.length()) + "\n";
    Path temporary = directory.resolve(TEMPORARY_NAME);
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(temporary, directory.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
    FileDisk.syncDirectory(directory);
  }

  private static String checksum(String text, int end) {
    CRC32C crc = new CRC32C();
    crc.update(text.substring(0, end).getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  private StorageException damaged(String what) {
    return new StorageException(
        String.format(
            "%s is damaged: %s. Put back an exact copy of the data directory from when the member"
                + " last stopped, or keep the directory aside and add the member to the cluster"
                + " again with a new member id and an empty data directory.",
            directory.resolve(NAME), what));
  }
}
