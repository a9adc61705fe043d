#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "kafka/record.h"
#include "tables/partition_state.h"

namespace shopstream::observe {

// What the lake knows about the contents of some records of a partition, to be compared with
// Kafka's. 16 bytes for each.
class ContentSample {
 public:
  // Samples one of `one_in` offsets on average, always the same ones; 1: all of them.
  explicit ContentSample(int64_t one_in = 1) : one_in_(one_in) {}

  // For tables with this many rows in total: at most about a million rows are sampled, because a
  // sampled row needs memory.
  static ContentSample OfRows(int64_t rows);

  bool Samples(int64_t offset) const;
  void AddTimestamp(int64_t offset, int64_t timestamp_us);
  void AddHash(int64_t offset, int64_t content_hash);
  // The record that Bronze remembers beside its progress.
  void AddLast(const tables::LastRecord& last) { last_ = last; }

  enum class Verdict { kUnknown, kSame, kOther };
  Verdict Compare(const kafka::RecordView& record);

 private:
  using Values = std::vector<std::pair<int64_t, int64_t>>;  // By offset, once sorted.

  int64_t one_in_;
  Values timestamps_, hashes_;
  std::optional<tables::LastRecord> last_;
  bool sorted_ = true;
};

}  // namespace shopstream::observe
