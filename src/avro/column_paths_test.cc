#include "avro/column_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "avro/decoder.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using ::testing::ElementsAre;

constexpr char kOrder[] = R"({"type": "record", "name": "Order", "fields": [
    {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line",
        "fields": [{"name": "sku", "type": "string"}]}}},
    {"name": "none", "type": "null"},
    {"name": "head", "type": ["null", {"type": "record", "name": "Head", "fields": [
        {"name": "nothing", "type": {"type": "record", "name": "Empty", "fields": []}},
        {"name": "at", "type": "long", "logicalType": "timestamp-millis"},
        {"name": "gift", "type": "boolean"}]}]},
    {"name": "by", "type": ["string", {"type": "record", "name": "Card", "fields": [
        {"name": "owner", "type": "string"}]}]}]})";

TEST(ColumnPaths, EveryColumnWithOneValuePerRowHasAPath) {
  const Schema schema = *Schema::Parse(kOrder);
  std::vector<std::string> paths;
  std::map<std::string, ColumnPath> by_path;
  const std::vector<ColumnPath> all = ColumnPaths(schema, **ToArrowSchema(schema));
  for (const ColumnPath& path : all) {
    paths.push_back(path.path);
    by_path[path.path] = path;
  }
  EXPECT_THAT(paths, ElementsAre("lines", "none", "head", "head.nothing", "head.at", "head.gift",
                                 "by", "by.string", "by.Card", "by.Card.owner"));
  EXPECT_EQ(by_path["none"].node, nullptr);
  EXPECT_EQ(by_path["head.at"].field->stray_logical_type, "timestamp-millis");
  EXPECT_EQ(by_path["by.Card"].field, nullptr);

  // The places are those of Columns: lists, empty records and union members are counted.
  Columns columns(*ToArrowSchema(schema));
  const Decoder decoder = *Decoder::Compile(schema, schema);
  const auto decode = [&](std::string_view body) {
    EXPECT_EQ(
        DecodeResult::kRow,
        decoder.Decode({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, &columns));
  };
  decode({"\x02\x02s\x00\x02\x08\x01\x02\x04me", 11});  // Head is the second branch, as is Card.
  decode({"\x00\x00\x00\x04hi", 6});
  EXPECT_EQ(4, columns.Int64At(by_path["head.at"].place, 0));
  EXPECT_TRUE(columns.BoolAt(by_path["head.gift"].place, 0));
  EXPECT_EQ("me", columns.StringAt(by_path["by.Card.owner"].place, 0));
  EXPECT_TRUE(columns.IsNullAt(by_path["by.string"].place, 0));
  EXPECT_TRUE(columns.IsNullAt(by_path["head.at"].place, 1));
  EXPECT_TRUE(columns.IsNullAt(by_path["by.Card.owner"].place, 1));
  EXPECT_EQ("hi", columns.StringAt(by_path["by.string"].place, 1));
}

}  // namespace
}  // namespace shopstream::avro
