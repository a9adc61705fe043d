#pragma once

#include <arrow/array/array_base.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "avro/columns.h"
#include "avro/decoder.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "kafka/record.h"
#include "registry/client.h"

namespace shopstream::records {

// The row's values by column name; bytes are hexadecimal, times ISO 8601.
nlohmann::ordered_json RowToJson(const arrow::RecordBatch& rows, int64_t row);

// One of them.
nlohmann::ordered_json ValueToJson(const arrow::Array& column, int64_t row);

std::string_view AsText(kafka::Bytes bytes);

// Kafka records as human-readable JSON, each value decoded with the schema that its frame names. An
// undecodable value has `error` and `value_hex` instead of `value`. One thread.
class RecordDecoder {
 public:
  explicit RecordDecoder(registry::Client* registry);  // Borrowed.

  // {"partition":0,"offset":7,"timestamp":"...","key":"42","schema_id":1,"value":{...}}
  nlohmann::ordered_json ToJson(const kafka::RecordView& record);

  // A schema's decoder and the columns it fills.
  struct Program {
    avro::Decoder decoder;
    avro::Columns columns;  // Empty between calls.
  };
  // KeyError: the registry has no such schema. Unavailable: it does not answer. An error is
  // remembered for a second, so that a batch of such records asks once.
  Result<Program*> ProgramOf(int32_t schema_id);

 private:
  struct Failure {
    Status why;
    BootClock::time_point until;
  };

  Result<Program*> Compile(int32_t schema_id);
  Result<nlohmann::ordered_json> DecodeValue(int32_t schema_id, kafka::Bytes body);

  registry::Client* registry_;
  std::map<int32_t, std::unique_ptr<Program>> programs_;
  std::map<int32_t, Failure> failures_;
};

}  // namespace shopstream::records
