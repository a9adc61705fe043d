#include "ingest/partitioning.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avro/decoder.h"
#include "ingest/testing.h"

namespace shopstream::ingest {
namespace {

using testing::AppendLong;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOrder[] = R"({"type": "record", "name": "Order", "fields": [
    {"name": "size", "type": {"type": "enum", "name": "Size", "symbols": ["S", "M"]}},
    {"name": "gift", "type": "boolean"},
    {"name": "shop", "type": ["null", "int"]},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "tax", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5}},
    {"name": "head", "type": {"type": "record", "name": "Head", "fields": [
        {"name": "land", "type": "string"}]}},
    {"name": "ratio", "type": "double"},
    {"name": "cost", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}},
    {"name": "raw", "type": "bytes"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "lines", "type": {"type": "array", "items": "string"}},
    {"name": "wide", "type": {"type": "bytes", "logicalType": "decimal", "precision": 64,
                              "scale": 2}},
    {"name": "none", "type": "null"}]})";

class PartitioningTest : public ::testing::Test {
 protected:
  Result<std::vector<PartitionField>> Resolve(std::vector<std::string> fields) {
    options_.partition_field = std::move(fields);
    return ResolvePartition(avro::ColumnPaths(schema_, **avro::ToArrowSchema(schema_)), options_);
  }
  std::string Error(const std::string& field) { return Resolve({field}).status().message(); }

  avro::Schema schema_ = *avro::Schema::Parse(kOrder);
  LayoutOptions options_{.partition_values = {}};
};

TEST_F(PartitioningTest, EveryTypeWithOneSpellingOfAValueHasItsTextOfTheLog) {
  const auto fields = *Resolve({"size", "gift", "shop", "day", "tax", "head.land"});
  avro::Columns columns(*avro::ToArrowSchema(schema_));
  const auto decoder = *avro::Decoder::Compile(schema_, schema_);
  const auto add = [&](const std::string& body) {
    ASSERT_EQ(
        avro::DecodeResult::kRow,
        decoder.Decode({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, &columns));
  };
  const std::string rest(8 + 1 + 1 + 1 + 1 + 1, '\0');  // ratio, cost, raw, at, lines, wide.
  std::string first("\x02\x01\x02", 3);
  AppendLong(-7, &first);
  AppendLong(-719'162, &first);
  add(first + "\x04\xff\x85" + "\x04\xc3\xa4" + rest);  // -123, ä
  add(std::string("\0\0\0\0\x02\x05\0", 7) + rest);     // 5, an empty text
  std::vector<std::vector<std::optional<std::string>>> texts(2);
  for (int64_t row = 0; row < 2; ++row) {
    for (const auto& field : fields) texts[row].push_back(PartitionText(field, columns, row));
  }
  EXPECT_THAT(texts[0], ElementsAre("M", "true", "-7", "0001-01-01", "-123", "\xc3\xa4"));
  EXPECT_THAT(texts[1], ElementsAre("S", "false", std::nullopt, "1970-01-01", "5", ""));
}

TEST_F(PartitioningTest, OtherTypesAreRefusedWithTheReasonAndCandidates) {
  EXPECT_EQ(
      "\"ratio\" is a double, whose equal values can be spelled differently "
      "(ingest.partition_field). Candidates: size (enum Size); head.land (string); gift "
      "(boolean); shop (int); day (int (date)); tax (bytes (decimal)). Or leave it empty to "
      "partition by date only.",
      Error("ratio"));
  EXPECT_THAT(Error("raw"), HasSubstr("which is not a text"));
  EXPECT_THAT(Error("cost"), HasSubstr("delta-rs"));
  EXPECT_THAT(Error("at"), HasSubstr("which differs in every record"));
  EXPECT_THAT(Error("head"), HasSubstr("which is not a single value"));
  EXPECT_THAT(Error("lines"), HasSubstr("which is not a single value"));
  EXPECT_THAT(Error("wide"), HasSubstr("too wide"));
  EXPECT_THAT(Error("none"), HasSubstr("always null"));
  EXPECT_THAT(Error("lines.element"), HasSubstr("can have several items"));
  EXPECT_THAT(Error("head.lant"), HasSubstr("Did you mean \"head.land\"?"));
  options_.partition_values = {"1"};
  EXPECT_THAT(Error("shop"), HasSubstr("ingest.partition_values lists texts"));
}

std::shared_ptr<arrow::Schema> Record(const std::vector<std::string>& names) {
  arrow::FieldVector fields;
  for (const std::string& name : names) fields.push_back(arrow::field(name, arrow::utf8()));
  return arrow::schema(fields);
}

TEST(ColumnNames, ANameThatIsTakenGetsUnderscores) {
  std::vector<PartitionField> none;
  EXPECT_THAT(ColumnNames(*Record({"date", "date_", "a", "A", "Kafka_Offset", "schema_id"}), &none),
              ElementsAre("date_", "date__", "a", "A_", "Kafka_Offset_", "schema_id_"));
  EXPECT_THAT(ColumnNames(*Record({"größe", "GRÖßE"}), &none), ElementsAre("größe", "GRÖßE_"));
  EXPECT_THAT(ColumnNames(*Record({"date_", "date"}), &none), ElementsAre("date_", "date__"));
}

TEST(ColumnNames, PartitionColumnsOfNestedFieldsComeFirst) {
  std::vector<PartitionField> fields(3);
  fields[0].path = "a.b";
  fields[1].path = "date";
  fields[2].path = "kafka.offset";
  EXPECT_THAT(ColumnNames(*Record({"a", "a_b", "date"}), &fields),
              ElementsAre("a", "a_b_", "date_"));
  EXPECT_EQ("a_b", fields[0].column);
  EXPECT_EQ("date_", fields[1].column);
  EXPECT_EQ("kafka_offset_", fields[2].column);
}

TEST(ColumnNames, FieldsAddedAtTheEndRenameNoOther) {
  const std::vector<std::string> all = {"x", "date", "X", "DATE_", "x_", "date"};
  std::vector<PartitionField> none;
  const auto names = ColumnNames(*Record(all), &none);
  for (size_t count = 1; count < all.size(); ++count) {
    const std::vector<std::string> some(all.begin(), all.begin() + static_cast<int64_t>(count));
    const auto fewer = ColumnNames(*Record(some), &none);
    EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), names.begin()));
  }
}

}  // namespace
}  // namespace shopstream::ingest
