#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace shopstream::ingest {

// What is known about the contents of a record. Two records are the same if their timestamps are,
// and every hash that is known of both, of which there must be one.
struct SeamContent {
  std::optional<int64_t> timestamp_ms;  // Nothing: it has none, or one that no table can hold.
  int64_t record = 0;                   // kafka::ContentHash: timestamp, key and value. 0: unknown.
  int64_t row = 0;                      // Hash of the decoded value. 0: unknown.
  int64_t headers = 0;                  // Hash of the headers. 0: unknown.
};
bool AreSame(const SeamContent& one, const SeamContent& other);

// A record that the lake has, in the order of the earlier topic's log.
struct SeamRow {
  int64_t offset = 0;
  SeamContent content;
  bool erased = false;  // Only its offset is known.
};

// A record of the mirror.
struct MirrorRecord {
  int64_t offset = 0;
  SeamContent content;
  int32_t leader_epoch = -1;
  int64_t timestamp_ms = -1;  // As Kafka gives it.
};

// Where the lake continues in one partition of a mirror.
struct Seam {
  int64_t below = 0;                  // All records below this offset are copies of rows.
  std::map<int64_t, int64_t> copies;  // At or above it: offset -> content hash.
  std::optional<MirrorRecord> last;   // The last copy below the seam, if one was seen.
  int64_t compared = 0;               // Rows of the lake that have their copy in the mirror.
  int64_t ahead = 0;                  // The lake's last rows, which the mirror does not have.
  int64_t absent = 0;                 // Others that it does not have.
};

// Finds the seam by contents. It decides on values: no clock and no I/O.
//
// The lake's last rows are compared with the mirror's records. Each row has at most one copy, the
// first record with the same contents, so that a record is never taken for a copy because it equals
// one: of two equal records of which the lake has one, the second is new. A wrong answer may
// therefore only be that a copy is read again, and not that a record is lost.
//
// Unless the rows are all that the lake has of the partition, an anchor is needed: kAnchorRows rows
// in a row that the mirror has, too, without another record between them. They are the first of the
// rows, or the first records that the mirror still has. What precedes the anchor must be older than
// the rows. That is decided by its timestamps: a record that was sent later than any older one can
// have been is new, and refutes the anchor. More rows then show where it belongs. A new record that
// was sent no later than the anchor's rows cannot be told from an older one.
class SeamFinder {
 public:
  static constexpr size_t kAnchorRows = 32;
  // Copies that follow a new record are stored one by one.
  static constexpr size_t kMostCopies = 5'000;

  // `complete`: these are all rows of the partition. `from`: the first offset that is added, or
  // that could be. `from_start`: nothing precedes it in the mirror.
  SeamFinder(std::vector<SeamRow> rows, bool complete, int64_t from, bool from_start);

  // Whether a record with this timestamp may be a copy, so that its contents are needed.
  bool Wants(const std::optional<int64_t>& timestamp_ms) const;
  // Ascending. The contents of a record that is not wanted need not be known.
  void Add(const MirrorRecord& record);
  // No further record matters: every row has its copy, or there can be no anchor.
  bool done() const { return refuted_ || (anchored_ && left_ == 0); }

  enum class Verdict {
    kFound,
    kAhead,      // Found, but the mirror may still receive copies of the lake's last rows.
    kNoAnchor,   // More rows may show where the two logs agree, or reach below a new record.
    kTooMany,    // More than kMostCopies copies follow a new record.
    kNoneFound,  // The mirror has records, and none of the lake's rows.
    kErased,     // Rows were erased, and new records are among the copies.
  };
  // After the mirror's last record. `seam` is set if it is found, or if the lake is ahead.
  Verdict Finish(Seam* seam) const;

 private:
  using Key = std::pair<std::optional<int64_t>, int64_t>;  // Timestamp, and a hash.
  // Rows without a copy.
  using Waiting = std::map<Key, std::set<size_t>>;

  void SetLatestOlder();
  void SeekAnchor(const MirrorRecord& record);
  bool IsAnchor(size_t first_row) const;
  void Compare(const MirrorRecord& record);
  std::optional<size_t> FindRow(const SeamContent& content) const;
  void Take(size_t row, const MirrorRecord& record);
  void StopWaiting(size_t row);
  bool IsErasedUncertain() const;

  const std::vector<SeamRow> rows_;
  const bool from_start_;
  size_t anchor_rows_ = 0;  // Including erased ones. More than there are: there can be no anchor.
  bool anchored_ = false;
  bool refuted_ = false;             // A new record precedes every possible anchor.
  std::deque<MirrorRecord> recent_;  // While the anchor is sought.
  // A record before the anchor that was sent later is new. Nothing: the rows do not show it.
  std::optional<int64_t> latest_older_;
  int64_t added_ = 0;
  Waiting by_record_, by_row_;  // A row is in the first if its record's hash is known.
  std::map<std::optional<int64_t>, size_t> waiting_;  // How many rows have this timestamp.
  std::vector<bool> taken_;
  size_t left_ = 0;                   // Rows without a copy, without those erased.
  size_t expected_ = 0;               // The row after that of the previous record.
  std::optional<int64_t> first_new_;  // The first record after the anchor that is no copy.
  std::optional<size_t> settled_;     // The last row with a copy below the seam, if not erased.
  Seam seam_;
};

}  // namespace shopstream::ingest
