// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class TimeSpanTest {

  @ParameterizedTest
  @CsvSource({"0s, 0", "500ms, 500", "1.5s, 1500", "2m, 120000", "1H, 3600000", "0.0001s, 0"})
  void readsWhatPeopleWrite(String text, long millis) {
    assertEquals(Duration.ofMillis(millis), new TimeSpan().convert(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "s", "-1s", "1d", "1 000ms", "1e3ms", "9999999999s"})
  void refusesTheRest(String text) {
    assertThrows(TypeConversionException.class, () -> new TimeSpan().convert(text));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 ms",
    "999, 999 ms",
    "1000, 1.0 s",
    "59949, 59.9 s",
    "60000, 1m",
    "65000, 1m 5s",
    "3600000, 1h",
    "90000000, 1d 1h"
  })
  void writesTwoUnitsAtMost(long millis, String text) {
    assertEquals(text, TimeSpan.text(millis));
  }

  @Test
  void goesToProtobufAndBack() {
    Duration duration = Duration.ofMillis(1_234);
    assertEquals(1_234, TimeSpan.millis(TimeSpan.toProto(duration)));
  }
}
