#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/offset_range.h"
#include "observe/offset_set.h"

namespace shopstream::observe {

// How lake and Kafka can disagree about a range of offsets.
enum class Difference {
  kMissing,  // Kafka has them below the lake's txn; neither table does.
  kExpired,  // Below Kafka's log start, in neither table: expired, or never written.
  kTwiceInBronze,
  kTwiceInQuarantine,
  kInBoth,          // In Bronze and in quarantine, but no replay added it to Bronze.
  kNotInKafka,      // In a table, between log start and txn, but Kafka has no such record.
  kBeyondProgress,  // In Bronze at or beyond the txn, which every commit of rows advances.
  kBeyondKafka,     // The lake's txn is beyond Kafka's end: Kafka lost acknowledged records.
};
const char* Name(Difference difference);  // "missing": for tables and JSON.
const char* Meaning(Difference difference);

struct Finding {
  Difference difference;
  OffsetRange range;
  bool operator==(const Finding&) const = default;
};

// What is known about a partition in addition to its rows.
struct CoverageBounds {
  // Kafka's; nothing if the topic (or this incarnation) was deleted: only the lake is checked.
  std::optional<int64_t> log_start, end;
  // The lake's: the next offset to read; nothing if it never committed one.
  std::optional<int64_t> txn;
  // Kafka may have removed single records, so a row without a record proves nothing.
  bool compacted = false;
};

// The same 64 offsets in each of a partition's sets, one bit per offset.
struct OffsetWords {
  uint64_t bronze = 0, quarantine = 0, kafka = 0, twice_in_bronze = 0, twice_in_quarantine = 0;
  uint64_t replayed = 0;  // According to Bronze: in quarantine, and added to Bronze by a replay.

  // Quarantined offsets that no replay has added to Bronze; they must not be there.
  uint64_t waiting() const { return quarantine & ~replayed; }
  uint64_t lake() const { return bronze | waiting(); }
};

// All rows of one Kafka partition: in the tables, and in Kafka.
class PartitionCoverage {
 public:
  void AddBronze(int64_t offset) { Add(offset, &bronze_, &twice_in_bronze_, &bronze_rows_); }
  void AddQuarantine(int64_t offset) {
    Add(offset, &quarantine_, &twice_in_quarantine_, &quarantine_rows_);
  }
  void AddReplayed(int64_t offset) {
    ++replayed_rows_;
    replayed_.Insert(offset);
  }
  void AddKafka(int64_t offset) { kafka_.Insert(offset); }

  int64_t bronze_rows() const { return bronze_rows_; }
  int64_t quarantine_rows() const { return quarantine_rows_; }
  int64_t replayed_rows() const { return replayed_rows_; }

  // Every range in which the two disagree, by kind and then by offset. Quarantined offsets at or
  // above the txn are no difference: quarantine is committed first, and the cut will follow.
  using OnFinding = std::function<void(const Finding&)>;
  void Compare(int32_t partition, const CoverageBounds& bounds, const OnFinding& found) const;

 private:
  static void Add(int64_t offset, OffsetSet* once, OffsetSet* twice, int64_t* rows) {
    ++*rows;
    if (!once->Insert(offset)) twice->Insert(offset);
  }
  using OnWords = std::function<void(int64_t first_offset, const OffsetWords& words)>;
  using OnRange = std::function<void(int64_t begin, int64_t end)>;
  std::vector<int64_t> Pages() const;
  void ForEachWord(const OnWords& on_words) const;
  void FindHoles(int64_t known_end, const OnRange& on_hole) const;

  OffsetSet bronze_, quarantine_, replayed_, kafka_;
  OffsetSet twice_in_bronze_, twice_in_quarantine_;
  int64_t bronze_rows_ = 0, quarantine_rows_ = 0, replayed_rows_ = 0;
};

}  // namespace shopstream::observe
