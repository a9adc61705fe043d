#pragma once

#include <string>

#include "base/status.h"

namespace shopstream::lake {

// "cannot WHAT PATH: REASON: REMEDY", with the kind of error. `error`: an errno.
Status DiskError(const std::string& what, const std::string& full_path, int error);

}  // namespace shopstream::lake
