// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

import java.nio.file.Path;

record ReadsFiles(Path path) {}
