// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

import com.google.protobuf.ByteString;

record SpeaksProtobuf(ByteString bytes) {}
