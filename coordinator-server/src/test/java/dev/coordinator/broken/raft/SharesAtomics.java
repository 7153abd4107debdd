// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.raft;

import java.util.concurrent.atomic.AtomicLong;

record SharesAtomics(AtomicLong counter) {}
