// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/** Hears the warnings of one class until it is closed. */
final class LogCapture implements AutoCloseable {

  private final Logger logger;
  private final Level levelBefore;
  private final AppenderBase<ILoggingEvent> appender;

  LogCapture(Class<?> of, Consumer<String> listener) {
    logger = (Logger) LoggerFactory.getLogger(of);
    levelBefore = logger.getLevel();
    appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            listener.accept(event.getFormattedMessage());
          }
        };
    appender.start();
    logger.addAppender(appender);
    logger.setLevel(Level.WARN);
  }

  @Override
  public void close() {
    logger.setLevel(levelBefore);
    logger.detachAppender(appender);
    appender.stop();
  }
}
