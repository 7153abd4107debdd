// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.coordinator.server.cli.CliException;
import org.junit.jupiter.api.Test;

class TokenWitnessTest {

  @Test
  void objectsToATokenThatDoesNotRise() {
    TokenWitness witness = new TokenWitness();
    witness.granted("a", 5);
    witness.granted("b", 3);
    witness.granted("a", 6);
    assertThrows(CliException.class, () -> witness.granted("a", 6));
    assertThrows(CliException.class, () -> witness.granted("b", 2));
  }
}
