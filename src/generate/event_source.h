#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_format.h"
#include "base/status.h"

namespace shopstream::generate {

// The position of user_id, which is the Kafka key of purchases.
inline constexpr int kUserIdColumn = 1;
inline constexpr int kTimestampColumn = 8;

// Deliberate ways to break a record. The last ones are already broken in the columns; the others
// are applied when the record is put on the wire (see WireFault).
enum class Fault {
  kEmpty,          // No bytes.
  kShort,          // Shorter than the frame.
  kWrongMagic,     // The first byte is not 0.
  kUnknownSchema,  // A schema id that no registry has assigned.
  kTruncated,      // Ends within the record.
  kTrailing,       // Has more bytes after the record.
  kHugeLength,     // A string that claims more bytes than there are.
  kInvalidUtf8,    // product_name
  kUnknownRegion,  // region
  kFarFuture,      // timestamp in the year 9999
};
inline constexpr int kFaultCount = 10;
inline constexpr bool IsWireFault(Fault fault) { return fault < Fault::kInvalidUtf8; }

struct WireFault {
  int32_t row = 0;
  Fault fault = Fault::kEmpty;
  uint64_t random = 0;  // For the details, so that equal seeds break records identically.
};

struct EventBatch {
  // PurchaseEventSchema(); null at the end of the source. No rows: nothing is due yet; ask again.
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<WireFault> wire_faults;  // In order of row, at most one per row.
  int64_t malformed = 0;               // Rows broken deliberately, on the wire or in the columns.
  int64_t late = 0;
  int64_t duplicates = 0;
};

// Rows of a recorded source that do not become events.
struct SkippedRows {
  int64_t filtered = 0;                    // They do not meet the mapping's `where`.
  std::map<std::string, int64_t> missing;  // By the first field without a value.
  SkippedLines lines;
};

// A stream of purchases. Not thread-safe.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // The next events, at most max_rows (> 0).
  virtual Result<EventBatch> Next(int64_t max_rows) = 0;
  // The column of the rows that is the Kafka key.
  virtual int key_column() const = 0;
  // So far; nothing if the source has no rows that it could skip.
  virtual std::optional<SkippedRows> skipped() const { return std::nullopt; }
};

}  // namespace shopstream::generate
