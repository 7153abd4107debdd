// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

/** Why a member cannot go on: what it would do next could be wrong, so it does nothing any more. */
public final class MemberFailure extends RuntimeException {

  private static final long serialVersionUID = 1L;

  MemberFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
