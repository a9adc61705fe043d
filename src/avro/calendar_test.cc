#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "avro/binary.h"
#include "avro/decoder.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

constexpr int64_t kFirstDay = -719'162;  // 0001-01-01, since 1970.
constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31.
constexpr int64_t kMillisPerDay = 86'400'000;
constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

std::string Logical(const std::string& type, const std::string& logical) {
  return R"({"type": ")" + type + R"(", "logicalType": ")" + logical + "\"}";
}

// Records of one field, a list of the type.
class ListDecoder {
 public:
  ListDecoder(const std::string& writer, const std::string& reader)
      : reader_(Lists(reader)),
        decoder_(ValueOf(Decoder::Compile(Lists(writer), reader_))),
        columns_(ValueOf(ToArrowSchema(reader_))) {}

  // Decodes a list of two items: the day 1970-01-01 and the value.
  DecodeResult Decode(int64_t value) {
    std::vector<uint8_t> body = {0x04, 0x00};
    uint8_t bytes[kMaxLongBytes];
    body.insert(body.end(), bytes, PutVarint(ZigZag(value), bytes));
    body.push_back(0x00);
    return decoder_.Decode(body, &columns_, &place_);
  }
  const std::string& place() const { return place_; }  // Where the last one failed.
  int64_t rows() const { return columns_.rows(); }

 private:
  static Schema Lists(const std::string& type) {
    return RecordOf(R"({"type": "array", "items": )" + type + "}");
  }

  Schema reader_;
  Decoder decoder_;
  Columns columns_;
  std::string place_;
};

struct Calendar {
  const char* kind;
  const char* logical;
  int64_t first;
  int64_t last;
  int64_t largest;  // The largest of its kind.
};

class CalendarTest : public testing::TestWithParam<Calendar> {};

TEST_P(CalendarTest, OnlyTheYears0001To9999Decode) {
  const Calendar& calendar = GetParam();
  const std::string reader = Logical(calendar.kind, calendar.logical);
  for (const std::string& writer : {reader, "\"" + std::string(calendar.kind) + "\""}) {
    ListDecoder decoder(writer, reader);
    EXPECT_EQ(DecodeResult::kRow, decoder.Decode(calendar.first));
    EXPECT_EQ(DecodeResult::kRow, decoder.Decode(calendar.last));
    for (const int64_t value :
         {calendar.first - 1, calendar.last + 1, calendar.largest, -calendar.largest - 1}) {
      EXPECT_EQ(DecodeResult::kOutOfRange, decoder.Decode(value)) << value;
      EXPECT_EQ("f[1]", decoder.place());
    }
    EXPECT_EQ(2, decoder.rows());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Types, CalendarTest,
    testing::Values(Calendar{"int", "date", kFirstDay, kLastDay,
                             std::numeric_limits<int32_t>::max()},
                    Calendar{"long", "timestamp-millis", kFirstDay* kMillisPerDay,
                             (kLastDay + 1) * kMillisPerDay - 1, kLargest},
                    Calendar{"long", "timestamp-micros", kFirstDay* kMicrosPerDay,
                             (kLastDay + 1) * kMicrosPerDay - 1, kLargest}));

// Nanoseconds end in 2262; the others are plain numbers in a table.
TEST(BoundlessTypesTest, TakeEveryNumber) {
  for (const char* logical : {"timestamp-nanos", "local-timestamp-millis", "local-timestamp-micros",
                              "local-timestamp-nanos", "time-micros"}) {
    SCOPED_TRACE(logical);
    const std::string type = Logical("long", logical);
    ListDecoder decoder(type, type);
    EXPECT_EQ(DecodeResult::kRow, decoder.Decode(kLargest));
    EXPECT_EQ(DecodeResult::kRow, decoder.Decode(-kLargest - 1));
  }
  for (const char* logical : {"timestamp-millis", "timestamp-micros", "timestamp-nanos"}) {
    SCOPED_TRACE(logical);
    ListDecoder decoder("\"int\"", Logical("long", logical));
    EXPECT_EQ(DecodeResult::kRow, decoder.Decode(std::numeric_limits<int32_t>::max()));
    EXPECT_EQ(DecodeResult::kRow, decoder.Decode(std::numeric_limits<int32_t>::min()));
  }
}

}  // namespace
}  // namespace shopstream::avro
