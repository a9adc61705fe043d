#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/offset_range.h"
#include "observe/offset_set.h"
#include "tables/partition_state.h"

namespace shopstream::observe {

// How lake and Kafka can disagree about a range of offsets.
enum class Difference {
  kMissing,  // Kafka has them below the lake's txn; neither table does.
  // Lost permanently: expired before ingest read them, or their loss was accepted. Without a ledger
  // also any offset below Kafka's log start that is in neither table.
  kExpired,
  kVanished,  // Below Kafka's log start: ingest has taken a record there, and no table has it now.
  kTwiceInBronze,      // Or there although it was erased.
  kTwiceInQuarantine,  // Likewise.
  kInBoth,             // In Bronze and in quarantine, but no replay added it to Bronze.
  kNotInKafka,         // In a table, between log start and txn, but Kafka has no such record.
  kBeyondProgress,     // In Bronze at or beyond the txn, which every commit of rows advances.
  kBeyondKafka,        // The lake's txn is beyond Kafka's end: Kafka lost acknowledged records.
  kOtherContent,       // In the lake and in Kafka, with different contents.
  kNotCovered,         // Below the seam of an adopted mirror, but no earlier row is its copy.
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
  // Bronze's ledger of offsets that held no record; ignored unless it reaches to the txn.
  std::optional<tables::EmptyOffsets> empty{};
  std::vector<OffsetRange> lost{};  // According to Bronze, ascending by begin; they may overlap.
  // The seam of an adopted mirror: the lake has the records below it from an earlier topic.
  int64_t covered_below = 0;
};

// The same 64 offsets in each of a partition's sets, one bit per offset.
struct OffsetWords {
  uint64_t bronze = 0, quarantine = 0, kafka = 0, twice_in_bronze = 0, twice_in_quarantine = 0;
  uint64_t replayed = 0;  // According to Bronze: in quarantine, and added to Bronze by a replay.
  uint64_t other_content = 0;

  // Quarantined offsets that no replay has added to Bronze; they must not be there.
  uint64_t waiting() const { return quarantine & ~replayed; }
  uint64_t lake() const { return bronze | waiting(); }
};

// Calls `on_part` with each part of [begin, end) that is in none of the lost ranges, which ascend
// by begin and may overlap.
void ForEachNotLost(const std::vector<OffsetRange>& lost, int64_t begin, int64_t end,
                    const std::function<void(int64_t begin, int64_t end)>& on_part);

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
  // Removed from Bronze, or from quarantine, on purpose. It counts as there: where it was looked
  // for it is not missing, and a row that is there nevertheless is a second one.
  void AddErasedFromBronze(int64_t offset) {
    Add(offset, &bronze_, &twice_in_bronze_, &erased_rows_);
  }
  void AddErasedFromQuarantine(int64_t offset) {
    Add(offset, &quarantine_, &twice_in_quarantine_, &erased_rows_);
  }
  // A copy in an adopted mirror, above its seam: the lake has it from an earlier topic.
  void AddCovered(int64_t offset) {
    if (!bronze_.Insert(offset)) twice_in_bronze_.Insert(offset);
  }
  void AddKafka(int64_t offset) { kafka_.Insert(offset); }
  // Kafka's record at this offset is another one than the lake's.
  void AddOtherContent(int64_t offset) { other_content_.Insert(offset); }

  int64_t bronze_rows() const { return bronze_rows_; }
  int64_t quarantine_rows() const { return quarantine_rows_; }
  int64_t replayed_rows() const { return replayed_rows_; }
  int64_t erased_rows() const { return erased_rows_; }

  // Every range in which the two disagree, by kind and then by offset. Quarantined offsets at or
  // above the txn are no difference: quarantine is committed first, and the cut will follow. Lost
  // offsets are reported as kExpired and otherwise not compared with Kafka.
  using OnFinding = std::function<void(const Finding&)>;
  void Compare(int32_t partition, const CoverageBounds& bounds, const OnFinding& found) const;

 private:
  static void Add(int64_t offset, OffsetSet* once, OffsetSet* twice, int64_t* rows) {
    ++*rows;
    if (!once->Insert(offset)) twice->Insert(offset);
  }
  using OnWords = std::function<void(int64_t first_offset, const OffsetWords& words)>;
  using OnRange = std::function<void(int64_t begin, int64_t end)>;
  using Select = std::function<uint64_t(int64_t first_offset, const OffsetWords& words)>;
  std::vector<int64_t> Pages() const;
  void ForEachWord(const OnWords& on_words) const;
  std::optional<int64_t> FirstInLake() const;
  void FindHoles(const OffsetRange& within, const Select& select, const OnRange& on_hole) const;
  void CheckLedger(int32_t partition, const CoverageBounds& bounds, bool has_extra_rows,
                   const OnFinding& found) const;

  OffsetSet bronze_, quarantine_, replayed_, kafka_;
  OffsetSet twice_in_bronze_, twice_in_quarantine_, other_content_;
  int64_t bronze_rows_ = 0, quarantine_rows_ = 0, replayed_rows_ = 0, erased_rows_ = 0;
};

}  // namespace shopstream::observe
