#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/status.h"
#include "kafka/record.h"
#include "records/record_json.h"

namespace shopstream::records {

inline constexpr int32_t kUndecoded = -1;  // Instead of a schema's id.

// Records of a batch with the same schema.
struct DecodedGroup {
  std::vector<size_t> places;  // In the batch.
  std::vector<const kafka::RecordView*> records;
  std::shared_ptr<arrow::RecordBatch>
      values;  // A row for each, without hidden fields; null: none was decoded.
};

// Whether nobody may see a field of the decoded values, nor what is nested in it. Null: all are
// seen.
using IsHidden = std::function<bool(const arrow::Field&)>;
arrow::FieldVector Seen(const arrow::FieldVector& fields, const IsHidden& is_hidden);

// By schema id; those under kUndecoded have no value, or one that cannot be decoded. Unavailable:
// the registry does not answer.
Result<std::map<int32_t, DecodedGroup>> DecodeBatch(const kafka::RecordBatch& batch,
                                                    RecordDecoder* decoder,
                                                    const IsHidden& is_hidden = nullptr);

}  // namespace shopstream::records
