#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shopstream {

// "0,2,3": partitions or brokers.
inline std::string JoinedIds(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

}  // namespace shopstream
