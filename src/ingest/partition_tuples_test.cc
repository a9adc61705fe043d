#include "ingest/partition_tuples.h"

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
    {"name": "a", "type": ["null", "string"]}, {"name": "b", "type": ["null", "string"]},
    {"name": "n", "type": "long"}]})";

class PartitionTuplesTest : public ::testing::Test {
 protected:
  void Use(std::vector<std::string> fields, std::vector<std::string> values = {}) {
    LayoutOptions options;
    options.partition_field = std::move(fields);
    options.partition_values = std::move(values);
    options.max_partition_values = 2;
    options.event_time_field = "";
    layout_ = *BronzeLayout::Make(*avro::Schema::Parse(kOrder), options);
    columns_ = avro::Columns(layout_.record);
    tuples_.Clear(layout_);
  }
  // The index of these values as text; "new" if they were added, otherwise the reason.
  std::string Take(const std::optional<std::string>& a, const std::optional<std::string>& b,
                   int64_t n = 0) {
    std::string body;
    for (const auto& text : {a, b}) {
      AppendLong(text ? 1 : 0, &body);
      if (!text) continue;
      AppendLong(static_cast<int64_t>(text->size()), &body);
      body += *text;
    }
    AppendLong(n, &body);
    const auto schema = layout_.reader_schema;
    const auto decoder = *avro::Decoder::Compile(schema, schema);
    EXPECT_EQ(
        avro::DecodeResult::kRow,
        decoder.Decode({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, &columns_));
    const auto found = tuples_.Find(layout_, columns_, columns_.rows() - 1);
    if (const auto* why = std::get_if<std::string>(&found)) return *why;
    if (std::get<int>(found) != PartitionTuples::kNew) return std::to_string(std::get<int>(found));
    return "new " + std::to_string(tuples_.AddFound());
  }

  BronzeLayout layout_;
  avro::Columns columns_{arrow::schema({})};
  PartitionTuples tuples_;
};

TEST_F(PartitionTuplesTest, ValuesThatJoinToTheSameTextStayApart) {
  Use({"a", "b"});
  EXPECT_EQ("new 0", Take("x", "yz"));
  EXPECT_EQ("new 1", Take("xy", "z"));
  EXPECT_EQ("0", Take("x", "yz"));
  EXPECT_THAT(Take("1:x", ""),
              HasSubstr("\"1:x\", null is a new value, and the table already has 2"));
  EXPECT_THAT(tuples_.tuples(), ElementsAre(ElementsAre("x", "yz"), ElementsAre("xy", "z")));
}

TEST_F(PartitionTuplesTest, OnlyANullInEveryFieldIsNotCounted) {
  Use({"a", "b"});
  EXPECT_EQ("new 0", Take(std::nullopt, ""));
  EXPECT_EQ("0", Take("", std::nullopt));
  EXPECT_EQ("new 1", Take("x", std::nullopt));
  EXPECT_EQ("new 2", Take(std::nullopt, "x"));
  EXPECT_THAT(Take("y", "y"), HasSubstr("already has 2; raise ingest.max_partition_values"));
}

TEST_F(PartitionTuplesTest, WithoutFieldsThereIsOneTuple) {
  Use({});
  EXPECT_EQ("new 0", Take("a", "b"));
  EXPECT_EQ("0", Take("c", std::nullopt));
  EXPECT_THAT(tuples_.tuples(), ElementsAre(ElementsAre()));
}

TEST_F(PartitionTuplesTest, NumbersAreTexts) {
  Use({"n"});
  EXPECT_EQ("new 0", Take("", "", -5));
  EXPECT_EQ("0", Take("x", "", -5));
  EXPECT_THAT(tuples_.tuples(), ElementsAre(ElementsAre("-5")));
}

TEST_F(PartitionTuplesTest, AValueThatSomeReaderWouldMisreadIsRefused) {
  const std::string null = "__HIVE_DEFAULT_PARTITION__";
  Use({"a"}, {"x", null});
  EXPECT_EQ("0", Take("x", ""));
  EXPECT_THAT(Take(null, ""), HasSubstr("name of the null partition"));
  EXPECT_EQ("\"y\" is not one of the allowed values", Take("y", ""));
  EXPECT_EQ("the partition field is null", Take(std::nullopt, ""));
  Use({"a", "b"});
  EXPECT_THAT(Take("x", null), HasSubstr("name of the null partition"));
  EXPECT_THAT(Take("x", std::string(199, 'y')), HasSubstr("199 bytes, too many"));
  EXPECT_EQ("new 0", Take("x", std::string(198, 'y')));
  Use({"n", "a"});
  EXPECT_EQ("new 0", Take("/ %=\xc3\xa4", ""));
}

TEST_F(PartitionTuplesTest, AdmittedValuesCount) {
  Use({"a"});
  tuples_.Admit({{"p"}, {"q"}, {"p"}});
  EXPECT_EQ("1", Take("q", ""));
  EXPECT_THAT(Take("r", ""), HasSubstr("already has 2"));
}

}  // namespace
}  // namespace shopstream::ingest
