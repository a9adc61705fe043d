#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace shopstream::kafka {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;

  auto operator<=>(const TopicPartition&) const = default;
};

}  // namespace shopstream::kafka
