#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream {

// Which quarantined records of one topic id have been brought into Bronze since. Bronze keeps it in
// a table property, changed by the commit that brings the rows, so that it outlives compaction and
// log clean-up: what stands here is in quarantine *and* in Bronze, each once; anything else that is
// in both is a double. As text, about four bytes for each run of neighbours:
//
//   offsets := partition { ";" partition }     partition := number ":" run { "," run }
//   run := gap [ "+" more ]
//
// gap: offsets left out since the run before (the first: since 0); more: how many follow the first
// of the run. "2:5+3,1" is partition 2, offsets 5, 6, 7, 8 and 10.
class ReplayedOffsets {
 public:
  // Invalid: not such a text.
  static Result<ReplayedOffsets> Parse(std::string_view text);
  std::string Format() const;

  bool Contains(int32_t partition, int64_t offset) const;
  // False: it was there already.
  bool Insert(int32_t partition, int64_t offset);
  void Merge(const ReplayedOffsets& other);
  bool empty() const { return partitions_.empty(); }
  int64_t size() const;
  // Of one partition, in ascending order.
  template <typename OnOffset>
  void ForEach(int32_t partition, OnOffset&& on_offset) const {
    const auto runs = partitions_.find(partition);
    if (runs == partitions_.end()) return;
    for (const auto& [begin, end] : runs->second) {
      for (int64_t offset = begin; offset < end; ++offset) on_offset(offset);
    }
  }

 private:
  using Runs = std::map<int64_t, int64_t>;  // Begin to end; neither touching nor overlapping.
  static bool InsertRun(int64_t begin, int64_t end, Runs* runs);

  std::map<int32_t, Runs> partitions_;
};

}  // namespace shopstream
