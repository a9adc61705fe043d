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
  kMissing,  // Kafka holds them below the lake's txn; neither table does.
  kExpired,  // Below Kafka's log start, in neither table: expired first, or never written.
  kTwiceInBronze,
  kTwiceInQuarantine,
  kInBoth,          // In Bronze and in quarantine, and no replay brought it from there.
  kNotInKafka,      // In a table, between log start and txn, but Kafka holds no such record.
  kBeyondProgress,  // In Bronze at or beyond the txn, which every commit of rows moves past them.
  kBeyondKafka,     // The lake's txn is past Kafka's end: Kafka lost what it had acknowledged.
};
const char* Name(Difference difference);  // "missing": for tables and JSON.
const char* Meaning(Difference difference);

struct Finding {
  Difference difference;
  OffsetRange range;
  bool operator==(const Finding&) const = default;
};

// What is known of a partition besides its rows.
struct CoverageBounds {
  // Of Kafka; nothing where the topic (or this incarnation of it) is gone: the lake stands alone.
  std::optional<int64_t> log_start, end;
  // Of the lake: the next offset to read; nothing where it never committed one.
  std::optional<int64_t> txn;
  // Kafka may have removed single records, so a lake's row without one proves nothing.
  bool compacted = false;
};

// The same 64 offsets in each of a partition's sets, one bit an offset.
struct OffsetWords {
  uint64_t bronze = 0, quarantine = 0, kafka = 0, twice_in_bronze = 0, twice_in_quarantine = 0;
  uint64_t replayed =
      0;  // By Bronze's own word: in quarantine, and brought into Bronze from there.

  // Where each offset is to be exactly once: in Bronze, or in quarantine and not replayed.
  uint64_t waiting() const { return quarantine & ~replayed; }
  uint64_t lake() const { return bronze | waiting(); }
};

// All rows of one Kafka partition: as the tables hold them, and as Kafka does.
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
  // beyond the txn are no difference: quarantine is committed first, and its rows are awaited.
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
