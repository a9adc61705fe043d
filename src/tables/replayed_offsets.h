#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::lake {
class Snapshot;
}

namespace shopstream::tables {

// The quarantined records of one topic id that have been added to Bronze. Bronze stores them in a
// table property, which the commit of the rows changes, so that it survives compaction and log
// clean-up. A record listed here is in quarantine *and* in Bronze, once in each; any other record
// that is in both is a duplicate. As text, about four bytes for each run of consecutive offsets:
//
//   offsets := partition { ";" partition }     partition := number ":" run { "," run }
//   run := gap [ "+" more ]
//
// gap: offsets skipped since the previous run (for the first: since 0); more: how many offsets
// follow the first of the run. "2:5+3,1" is partition 2, offsets 5, 6, 7, 8 and 10.
class ReplayedOffsets {
 public:
  // Invalid: not a text of this grammar.
  static Result<ReplayedOffsets> Parse(std::string_view text);
  std::string Format() const;

  bool Contains(int32_t partition, int64_t offset) const;
  // False: the offset was present already.
  bool Insert(int32_t partition, int64_t offset);
  void InsertRun(int32_t partition, int64_t begin, int64_t end);  // [begin, end), not empty.
  void Merge(const ReplayedOffsets& other);
  bool empty() const { return partitions_.empty(); }
  int64_t size() const;
  // The offsets that `other` does not have.
  ReplayedOffsets Without(const ReplayedOffsets& other) const;
  // Visits [begin, end) of every run, ascending; runs of a partition neither touch nor overlap.
  template <typename OnRun>
  void ForEachRun(OnRun&& on_run) const {
    for (const auto& [partition, runs] : partitions_) {
      for (const auto& [begin, end] : runs) on_run(partition, begin, end);
    }
  }
  // Visits the offsets of one partition in ascending order.
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
  static bool Add(int64_t begin, int64_t end, Runs* runs);

  std::map<int32_t, Runs> partitions_;  // None is empty.
};

// The replayed offsets that Bronze or a side table stores. Invalid: they are missing although its
// txn counts replays, so that replayed records can no longer be distinguished from duplicates.
Result<ReplayedOffsets> ReadReplayed(const lake::Snapshot& table, const std::string& topic_id);

}  // namespace shopstream::tables
