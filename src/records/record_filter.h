#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "kafka/record.h"
#include "records/decoded_batch.h"
#include "records/record_json.h"
#include "refine/row_predicate.h"
#include "registry/client.h"

namespace shopstream::records {

// A condition in SQL on Kafka records: on the fields of their decoded values, and on partition,
// offset, timestamp, key and schema_id. A field of the value hides one of these; kafka_partition,
// kafka_offset, kafka_timestamp and kafka_key always exist. A field that a record's schema lacks,
// but another version of the subject has, is null, and so are all fields of a value that cannot be
// decoded. One thread.
class RecordFilter {
 public:
  // Checks the condition against the topic's subject, if it has one. Invalid: it fits no version;
  // the message says why. Both are borrowed. With hidden fields, there are no keys either.
  static Result<std::unique_ptr<RecordFilter>> Open(const std::string& condition,
                                                    const Config& config, const std::string& topic,
                                                    registry::Client* registry,
                                                    RecordDecoder* decoder,
                                                    const IsHidden& is_hidden = nullptr);

  // One answer per record. Invalid: the condition does not fit a record's schema, or cannot be
  // computed for a record. Unavailable: the registry does not answer.
  Result<std::vector<bool>> Matches(const kafka::RecordBatch& batch);
  // The same of a batch of `count` records that is already decoded, without the hidden fields.
  Result<std::vector<bool>> Matches(const std::map<int32_t, DecodedGroup>& groups, size_t count);

  // For a topic without a subject: why the condition fits no schema of the records so far. Empty:
  // it fits one, or there was none.
  const std::string& unfit() const { return unfit_; }

 private:
  RecordFilter(std::string condition, RecordDecoder* decoder, IsHidden is_hidden)
      : condition_(std::move(condition)), decoder_(decoder), is_hidden_(std::move(is_hidden)) {}
  Status CheckSubject(registry::Client* registry, const std::string& subject);
  Result<std::shared_ptr<arrow::RecordBatch>> RowsOf(const DecodedGroup& group,
                                                     int32_t schema_id) const;
  // Null: the condition does not fit the schema, and no record with it matches.
  Result<refine::RowPredicate*> PredicateFor(int32_t schema_id,
                                             const std::shared_ptr<arrow::Schema>& fields);

  const std::string condition_;
  RecordDecoder* const decoder_;
  const IsHidden is_hidden_;
  // From all versions of the subject, as far as they were needed. Null: the topic has none.
  std::shared_ptr<arrow::Schema> subject_fields_;
  std::map<int32_t, std::unique_ptr<refine::RowPredicate>> predicates_;  // By schema id.
  std::string unfit_;
  bool fits_ = false;
};

}  // namespace shopstream::records
