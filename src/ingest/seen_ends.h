#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace shopstream::ingest {

// Where Kafka's log of one partition ended at some moments.
class SeenEnds {
 public:
  static constexpr size_t kMost = 64;  // Above that, every second one is dropped.

  // The question was sent at `at_ms` or later, so everything that Kafka held then is below `end`.
  void Add(int64_t at_ms, int64_t end);
  // The latest moment of which everything that Kafka held is below `next`.
  std::optional<int64_t> CompleteThrough(int64_t next) const;
  size_t size() const { return seen_.size(); }

 private:
  struct Seen {
    int64_t at_ms = 0;
    int64_t end = 0;
  };
  std::vector<Seen> seen_;  // In the order of the questions.
};

}  // namespace shopstream::ingest
