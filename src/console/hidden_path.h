#pragma once

#include <algorithm>
#include <string>

#include "console/masking.h"

namespace shopstream::console {

// A path of the lake without the values of masked partition columns: "region=*/date=2025-10-24/x".
inline std::string HideInPath(const Masking& masking, const std::string& path) {
  std::string hidden;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    const size_t equals = part.find('=');
    const bool hides = equals != std::string::npos && masking.masks(part.substr(0, equals));
    hidden += (begin == 0 ? "" : "/") + (hides ? part.substr(0, equals + 1) + "*" : part);
    begin = end + 1;
  }
  return hidden;
}

}  // namespace shopstream::console
