// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.storage;

import io.grpc.Status;

record SpeaksGrpc(Status status) {}
