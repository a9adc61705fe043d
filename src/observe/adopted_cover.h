#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "model/offset_range.h"
#include "tables/adoption.h"

namespace shopstream::observe {

// The records of one partition below the seam of an adopted mirror.
struct CoveredRecords {
  int64_t records = 0;   // Those that Kafka still has.
  int64_t compared = 0;  // Those of them in the sample. Only their times are compared.
  int64_t missing = 0;   // Those of `compared` that were sent when no row was.
  bool erased = false;   // Rows that were removed on purpose explain what is missing.
};

// What an adopted mirror has that the lake has from the earlier topics, and whether that is true:
// each covered record that Kafka still has must have been sent when some row of the earlier topics
// was. Of tables with more than a million rows, a sample of these times is compared.
class AdoptedCover {
 public:
  // `rows`: of all tables together.
  AdoptedCover(const tables::Txns& txns, const std::string& topic_id, int32_t partitions,
               int64_t rows);

  // Null: the partition was read from its own beginning.
  const tables::Adoption* Find(int32_t partition) const;

  // A row of any topic. Nothing: its time is not known.
  void AddRow(std::string_view topic_id, int32_t partition, std::optional<int64_t> timestamp_us);
  // Rows of any topic that were removed on purpose.
  void AddErased(const std::string& topic_id, int32_t partition, int64_t rows);

  // Whether the record is covered because of its offset; if so, its time is compared.
  bool Takes(int32_t partition, int64_t offset, int64_t timestamp_ms);

  CoveredRecords Count(int32_t partition) const;
  // Each range of covered offsets without a row, up to 100,000 offsets. None, if rows that were
  // removed explain them.
  using OnUncovered = std::function<void(const OffsetRange& range)>;
  void ForEachUncovered(int32_t partition, const OnUncovered& on_uncovered) const;

 private:
  struct Partition {
    tables::Adoption adoption;
    std::unordered_set<int64_t> sent_ms;  // Sampled.
    int64_t erased = 0;
    CoveredRecords count;
    std::set<int64_t> uncovered;  // At most kMostUncovered.
  };
  bool IsExplained(const Partition& partition) const;
  Partition* EarlierPartition(std::string_view topic_id, int32_t partition);
  bool Samples(int64_t timestamp_ms) const;

  const int64_t one_in_;
  std::set<std::string, std::less<>> earlier_;
  std::map<int32_t, Partition> partitions_;
};

}  // namespace shopstream::observe
