#pragma once

#include <string>

namespace shopstream::lake {

// A random (version 4) UUID in lower-case text. Thread-safe.
std::string NewUuid();

}  // namespace shopstream::lake
