#pragma once

#include <string>

#include "base/status.h"

namespace shopstream {

// The whole file, which may be empty. IOError: "cannot read PATH: REASON"; a folder cannot be read
// either.
Result<std::string> ReadFile(const std::string& path);

}  // namespace shopstream
