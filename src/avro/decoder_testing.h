#pragma once
// For tests only: records decoded from bytes in hexadecimal.

#include <memory>
#include <string>
#include <string_view>

#include "avro/decoder.h"
#include "avro/testing.h"

namespace shopstream::avro {

inline constexpr const char* kMillis = R"({"type": "long", "logicalType": "timestamp-millis"})";

// One writer and one reader; rows are compared as JSON.
class Pair {
 public:
  Pair(const Schema& writer, const Schema& reader)
      : decoder_(ValueOf(Decoder::Compile(writer, reader))),
        arrow_(ValueOf(ToArrowSchema(reader))),
        columns_(arrow_) {}
  explicit Pair(const Schema& schema) : Pair(schema, schema) {}

  DecodeResult Decode(const std::string& hex) {
    return decoder_.Decode(Bytes(hex), &columns_, &place_);
  }
  const std::string& place() const { return place_; }  // Where the last one failed.
  Columns& columns() { return columns_; }

  void ExpectRows(std::string_view json) {
    const auto rows = ValueOf(columns_.Finish());
    ASSERT_TRUE(rows->ValidateFull().ok()) << rows->ValidateFull();
    EXPECT_TRUE(rows->Equals(*Rows(arrow_, json))) << rows->ToString();
  }

 private:
  Decoder decoder_;
  std::shared_ptr<arrow::Schema> arrow_;
  Columns columns_;
  std::string place_;
};

}  // namespace shopstream::avro
