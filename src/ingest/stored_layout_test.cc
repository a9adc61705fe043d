#include "ingest/stored_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "simulate/memory_store.h"
#include "tables/names.h"
#include "tables/table_layout.h"

namespace shopstream::ingest {
namespace {

using ::testing::HasSubstr;

class StoredLayoutTest : public ::testing::Test {
 protected:
  // A table created with these options, or by a version that stored no layout.
  const lake::Snapshot& Create(const LayoutOptions& options, bool stored = true) {
    lake::TableSpec spec = testing::EventLayout(options)->table;
    if (!stored) spec.properties.erase(tables::kLayoutProperty);
    store_ = std::make_unique<simulate::MemoryStore>();
    table_ = *lake::Table::OpenOrCreate(store_.get(), spec);
    return *(snapshot_ = table_->snapshot());
  }

  LayoutOptions options_;
  std::unique_ptr<simulate::MemoryStore> store_;
  std::unique_ptr<lake::Table> table_;
  std::shared_ptr<const lake::Snapshot> snapshot_;
};

TEST_F(StoredLayoutTest, ATableKnowsItsFields) {
  options_.partition_field = {"region", "id"};
  options_.partition_values = {};
  const auto layout = *tables::ReadTableLayout(Create(options_));
  ASSERT_TRUE(layout);
  EXPECT_EQ((tables::TableLayout{.partition = {{"region", "region"}, {"id", "id"}},
                                 .event_time_path = "timestamp",
                                 .event_time_unit = ""}),
            *layout);
}

TEST_F(StoredLayoutTest, OtherPartitionFieldsAreRefusedWithBothSettings) {
  for (const bool stored : {true, false}) {
    options_.partition_field = {"region"};
    const lake::Snapshot& table = Create(options_, stored);
    EXPECT_TRUE(CheckPartitionFields(table, options_).ok());
    options_.partition_field = {};
    EXPECT_EQ(
        "table bronze-events is partitioned by region, but ingest.partition_field is date "
        "only: set it to region, or lake.bronze_table to a new table",
        CheckPartitionFields(table, options_).message());
  }
  options_.partition_values = {};
  const lake::Snapshot& table = Create(options_);
  options_.partition_field = {"region"};
  EXPECT_THAT(CheckPartitionFields(table, options_).message(),
              HasSubstr("partitioned by date only, but ingest.partition_field is region (the "
                        "default): set it to the empty list"));
}

TEST_F(StoredLayoutTest, EveryColumnOfTheRecordHasItsField) {
  using ::testing::Contains;
  using ::testing::Pair;
  for (const bool stored : {true, false}) {
    const lake::TableSpec spec = [&] {
      lake::TableSpec made =
          BronzeLayout::Make(*avro::Schema::Parse(testing::EventWith("date", "string")), {})->table;
      if (!stored) made.properties.erase(tables::kLayoutProperty);
      return made;
    }();
    simulate::MemoryStore store;
    const auto fields = *FieldsOfColumns(*(*lake::Table::OpenOrCreate(&store, spec))->snapshot());
    EXPECT_THAT(fields, Contains(Pair("date_", "date")));
    EXPECT_THAT(fields, Contains(Pair("region", "region")));
    EXPECT_EQ(fields.size(), 4u);
  }
}

TEST_F(StoredLayoutTest, TheColumnOfAWideDecimalCannotChange) {
  const auto schema = *avro::Schema::Parse(R"({"type": "record", "name": "E", "fields": [
      {"name": "region", "type": "string"}, {"name": "date", "type": {"type": "array", "items": {
          "type": "record", "name": "L", "fields": [{"name": "price", "type": {
              "type": "bytes", "logicalType": "decimal", "precision": 64, "scale": 2}}]}}}]})");
  options_.event_time_field = "";
  const auto made = [&](std::map<std::string, avro::WideDecimal> wide) {
    options_.columns.wide = std::move(wide);
    return BronzeLayout::Make(schema, options_);
  };
  const auto as_text = *made({});
  const auto as_double = *made({{"date.price", avro::WideDecimal::kDouble}});
  simulate::MemoryStore store;
  const auto table = *lake::Table::OpenOrCreate(&store, as_text.table);
  EXPECT_TRUE(CheckWideDecimals(*table->snapshot(), as_text).ok());
  EXPECT_EQ(
      "table bronze-events has date.price as text, but ingest.wide_decimals sets it to double: "
      "change it back, or set lake.bronze_table to a new table",
      CheckWideDecimals(*table->snapshot(), as_double).message());
  EXPECT_EQ(
      "ingest.wide_decimals names \"region\", which is not a decimal of more than 38 digits; "
      "the schema has these: date.price",
      CheckWidePaths(*made({{"region", avro::WideDecimal::kDouble}})).message());
  EXPECT_TRUE(CheckWidePaths(as_double).ok());
  EXPECT_EQ("", WarnOfWidePaths(as_double));
  EXPECT_TRUE(CheckWidePaths(*made({{"prize", avro::WideDecimal::kDouble}})).ok());
  EXPECT_EQ(
      "ingest.wide_decimals names \"date.prize\", which the schema does not have yet; it takes "
      "effect when a schema adds it; did you mean 'date.price'?",
      WarnOfWidePaths(*made({{"date.prize", avro::WideDecimal::kDouble}})));
}

TEST_F(StoredLayoutTest, AnotherEventTimeIsAWarning) {
  const LayoutOptions usual;
  options_.event_time_field = "";
  EXPECT_EQ("", WarnOfEventTime(Create(usual), usual));
  EXPECT_EQ(
      "Table bronze-events was created with timestamp as the event time; new rows get their date "
      "from Kafka's timestamp.",
      WarnOfEventTime(Create(usual), options_));
  EXPECT_EQ("", WarnOfEventTime(Create(usual, /*stored=*/false), options_));
}

}  // namespace
}  // namespace shopstream::ingest
