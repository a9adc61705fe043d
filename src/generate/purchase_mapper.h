#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "generate/event_source.h"
#include "generate/source_mapping.h"
#include "generate/source_rows.h"

namespace shopstream::generate {

// Turns rows of a mapping's file into purchases. Holds the used columns of the joined files in
// memory. Not thread-safe.
class PurchaseMapper {
 public:
  // Reads the joined files. Invalid: a column does not fit.
  static Result<std::unique_ptr<PurchaseMapper>> Open(const SourceMapping& mapping);

  // `rows` has the columns ColumnsOf(mapping, -1) and kRowColumn. The result has
  // PurchaseEventSchema(), without the rows that the mapping leaves out; those are counted in
  // `skipped`.
  Result<std::shared_ptr<arrow::RecordBatch>> Map(std::shared_ptr<arrow::RecordBatch> rows,
                                                  SkippedRows* skipped) const;

  // The times of those purchases, and of some that Map leaves out; `rows` needs only
  // TimeColumnsOf(mapping).
  Result<std::shared_ptr<arrow::TimestampArray>> Times(
      std::shared_ptr<arrow::RecordBatch> rows) const;

 private:
  PurchaseMapper(const SourceMapping& mapping, JoinedFiles joined);
  const SourceMapping mapping_;
  const JoinedFiles joined_;
};

}  // namespace shopstream::generate
