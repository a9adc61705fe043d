#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "avro/columns.h"
#include "avro/decoder.h"
#include "ingest/bronze_layout.h"
#include "ingest/cause.h"
#include "ingest/cut.h"
#include "ingest/frame.h"
#include "ingest/partition_tuples.h"
#include "kafka/record.h"

namespace shopstream::ingest {

// Why a record is quarantined.
struct Verdict {
  Cause cause;
  std::string detail;
};

// Collects the rows of one table for the filling cut. One thread. No I/O and no clock.
//
// Rows of any number of writers' schemas go into one set of columns, each through the decoder for
// its own schema. When a writer has a new field, the layout has grown: the columns so far are set
// aside and joined with the later ones when the cut is finished, null where they had no such
// column. That happens once per new field, not once per record.
class RowsBuilder {
 public:
  explicit RowsBuilder(std::shared_ptr<const BronzeLayout> layout);

  // The layout of the last row, or the first one.
  const std::shared_ptr<const BronzeLayout>& layout() const { return layout_; }
  // If any partition value is allowed: the values already in the table count towards the bound.
  void Admit(const std::vector<PartitionTuple>& values);

  // Appends a row of this layout, or changes nothing and returns why the record is quarantined.
  // OutOfMemory: there is no room for the row; this is not a verdict on the record.
  Result<std::optional<Verdict>> Add(const kafka::RecordView& record, const Frame& frame,
                                     const avro::Decoder& decoder,
                                     const std::shared_ptr<const BronzeLayout>& layout);

  int64_t rows() const { return static_cast<int64_t>(rows_.kafka_offset.size()); }
  // Rows of the partition values that have the most.
  int64_t fullest_value_rows() const;
  int64_t open_partitions() const { return static_cast<int64_t>(rows_.lake_partitions.size()); }
  int64_t bytes() const;

  // Returns everything and starts empty.
  Result<TableRows> Finish();
  // Drops all rows, and the partition values that were admitted for them.
  void Clear();

 private:
  // Sets the columns filled so far aside if their layout differs.
  Status UseLayout(const std::shared_ptr<const BronzeLayout>& layout);
  void StartEmpty();
  int32_t LakePartitionIndex(int value, int32_t date);

  std::shared_ptr<const BronzeLayout> layout_;
  avro::Columns columns_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> earlier_;  // Rows of earlier layouts.
  int64_t earlier_bytes_ = 0;
  TableRows rows_;  // Its `rows` are in earlier_ and columns_ until Finish.
  PartitionTuples tuples_;
  std::unordered_map<int64_t, int32_t> lake_partition_index_;
  // For each tuple that has had a row: the lake partition last used, and the rows of this cut.
  std::vector<int32_t> last_index_;
  std::vector<int64_t> value_rows_;
};

}  // namespace shopstream::ingest
