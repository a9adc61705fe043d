#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/parquet/file_predicate.h"
#include "model/data_file.h"

namespace shopstream::lake {

// Which rows of a table go.
struct RowChoice {
  // Every row that goes satisfies it; it may be of any columns of the table.
  FilePredicate outline;
  // The columns that `choose` needs, partition columns among them. Those that the table does not
  // have are left out.
  std::vector<std::string> columns;
  // One answer per row of a batch of a file. Called once for each row that may go.
  std::function<Result<std::vector<bool>>(const DataFile& file, const arrow::RecordBatch& rows)>
      choose;
};

struct RemovalOptions {
  int64_t memory_bytes = 64 << 20;  // Rows, row groups and buffers together; at least 8 MiB.
  std::function<bool()> stop = {};  // Called between batches of rows. True: Cancelled.
  // Called between files with how many of how many of the table were searched or written.
  std::function<void(const std::string& table, int64_t files, int64_t of)> progress = {};
};

// Files without the rows that go, in place of those with them. Nothing names them yet.
struct Removal {
  std::shared_ptr<arrow::Schema> schema;  // The table's, when they were written.
  std::vector<DataFile> removes;
  // In the same partitions; none for a file of which no row is left.
  std::vector<DataFile> adds;
  std::optional<BootClock::time_point> written_since;  // With `adds`.
  int64_t rows = 0;                                    // That go.
  int64_t files_searched = 0;

  bool empty() const { return removes.empty(); }
  // Everything of a commit but its operation, txns and properties.
  Changes ToChanges() const;
};

// Searches the snapshot's files for the rows that go, and writes each file that has some without
// them. Files are never in memory as a whole; the answers of `choose` are, one bit per row of a
// file. On an error, what it wrote is deleted. Gone: a file was compacted and deleted meanwhile;
// refresh and repeat. Invalid: a file has another number of rows than the log says.
Result<Removal> PlanRemoval(Table* table, const Snapshot& snapshot, const RowChoice& choice,
                            const RemovalOptions& options);

// Only searches: `choose` sees the rows that may go. How many do.
Result<int64_t> CountChosen(Table* table, const Snapshot& snapshot, const RowChoice& choice,
                            const RemovalOptions& options);

// Deletes the files that were written, because no commit will name them. What storage does not
// delete now is left to vacuum.
void Discard(Table* table, const Removal& removal);

}  // namespace shopstream::lake
