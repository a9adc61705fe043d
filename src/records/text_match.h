#pragma once

#include <arrow/record_batch.h>

#include <string>
#include <string_view>
#include <vector>

#include "kafka/record.h"
#include "records/decoded_batch.h"

namespace shopstream::records {

// Finds a text in records as they are shown: in keys, headers and values. Letters of ASCII match in
// both cases. A number matches as it is printed, without quotes or escapes of JSON.
class TextMatch {
 public:
  explicit TextMatch(const std::string& text);

  bool IsIn(std::string_view text) const;
  // Whether a key, a header or an undecoded value has it.
  bool IsInBytesOf(const kafka::RecordView& record, bool with_value) const;
  // Sets those rows to true of which a value has it.
  void FindIn(const arrow::RecordBatch& values, std::vector<bool>* rows) const;

 private:
  void FindInStrings(const arrow::Array& column, std::vector<bool>* rows) const;
  bool MayBeIn(const arrow::DataType& type) const;

  const std::string needle_;  // In lower case.
};

}  // namespace shopstream::records
