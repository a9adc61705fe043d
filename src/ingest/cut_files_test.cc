#include "ingest/cut_files.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using testing::Event;
using testing::kDay;
using testing::kOct24;

class CutFilesTest : public ::testing::Test {
 protected:
  void Take(std::optional<std::string> value) {
    EXPECT_EQ(std::nullopt, testing::Add(records_.Make(2, next_offset_++, std::move(value)),
                                         schemas_, &builder_));
  }
  Cut Finish() {
    Cut cut = *builder_.Finish();
    cut.topic = "t";
    cut.topic_id = "id";
    cut.ingested_at_ms = kOct24 + kDay + 1;
    return cut;
  }
  std::vector<int64_t> OffsetsIn(const std::string& table, const DataFile& file,
                                 const std::shared_ptr<arrow::Schema>& schema) {
    const auto rows = *lake::ReadDataFile(&store_, table, file, schema, {"kafka_offset"});
    const auto batch = *rows->CombineChunksToBatch();
    const auto& column = static_cast<const arrow::Int64Array&>(*batch->column(0));
    return {column.raw_values(), column.raw_values() + column.length()};
  }

  std::shared_ptr<const BronzeLayout> layout_ = testing::EventLayout();
  SchemaCache schemas_ = testing::EventSchemas();
  testing::Records records_;
  CutBuilder builder_{layout_};
  simulate::MemoryStore store_;
  int64_t next_offset_ = 100;
};

TEST_F(CutFilesTest, EachLakePartitionGetsOneFileWithItsRowsInOrder) {
  Take(Event(1, "US", kOct24));
  Take(Event(2, "EU", kOct24));
  Take(Event(3, "US", kOct24 - 1));
  Take(Event(4, "US", kOct24 + 5));
  const Cut cut = Finish();
  const auto files = *WriteRowFiles(&store_, cut, cut.bronze);
  ASSERT_EQ(3u, files.size());
  const auto& schema = layout_->table.schema;
  const std::string& table = layout_->table.path;
  EXPECT_THAT(
      files[0].partition_values,
      ElementsAre(std::pair<std::string, std::optional<std::string>>("region", "US"),
                  std::pair<std::string, std::optional<std::string>>("date", "2025-10-24")));
  EXPECT_THAT(OffsetsIn(table, files[0], schema), ElementsAre(100, 103));
  EXPECT_THAT(OffsetsIn(table, files[1], schema), ElementsAre(101));
  EXPECT_EQ("2025-10-23", files[2].partition_values[1].second);
  EXPECT_THAT(OffsetsIn(table, files[2], schema), ElementsAre(102));
}

// Ours are renamed, a nested partition field stays in its struct, one at the top leaves the file.
TEST_F(CutFilesTest, ColumnsAndFoldersHaveTheNamesOfTheTable) {
  const auto schema = avro::Schema::Parse(R"({"type": "record", "name": "Event", "fields": [
      {"name": "id", "type": "long"},
      {"name": "date", "type": "string"},
      {"name": "head", "type": ["null", {"type": "record", "name": "Head", "fields": [
          {"name": "date", "type": "string"}, {"name": "n", "type": "int"}]}]}]})");
  LayoutOptions options;
  options.partition_field = {"date", "head.n"};
  options.partition_values = {};
  options.event_time_field = "";
  const auto layout = std::make_shared<const BronzeLayout>(*BronzeLayout::Make(*schema, options));
  EXPECT_THAT(layout->table.partition_columns, ElementsAre("date_", "head_n", "date"));
  EXPECT_LT(layout->file->GetFieldIndex("date_"), 0);
  CutBuilder builder(layout);
  const KnownSchema known{.decoder = *avro::Decoder::Compile(*schema, *schema),
                          .layout = layout,
                          .cause = {},
                          .detail = {}};
  for (const auto& body : {std::string("\x02\x04/ \x02\x02x\x05", 8), std::string("\x04\0\0", 3)}) {
    const auto record = records_.Make(0, next_offset_++, std::string("\0\0\0\0\x01", 5) + body);
    ASSERT_TRUE(builder.Add(record, *builder.Open(record), known).ok());
  }
  Cut cut = *builder.Finish();
  cut.ingested_at_ms = kOct24;
  ASSERT_EQ(2, cut.bronze.rows->num_rows());
  const auto files = *WriteRowFiles(&store_, cut, cut.bronze);
  ASSERT_EQ(2u, files.size());
  using Value = std::pair<std::string, std::optional<std::string>>;
  EXPECT_THAT(files[0].partition_values, ElementsAre(Value("date_", "/ "), Value("head_n", "-3"),
                                                     Value("date", "2025-10-24")));
  EXPECT_THAT(files[0].path, ::testing::StartsWith("date_=%2F%20/head_n=-3/date=2025-10-24/"));
  EXPECT_THAT(files[1].partition_values,
              ElementsAre(Value("date_", std::nullopt), Value("head_n", std::nullopt),
                          Value("date", "2025-10-24")));
  const auto rows = *lake::ReadDataFile(&store_, layout->table.path, files[0], layout->table.schema,
                                        {"id", "date_", "head", "head_n"});
  // The nested fields are also in their struct.
  const auto head =
      std::static_pointer_cast<arrow::StructArray>(rows->GetColumnByName("head")->chunk(0));
  EXPECT_EQ("-3", head->GetFieldByName("n")->GetScalar(0).ValueOrDie()->ToString());
  EXPECT_EQ("x", head->GetFieldByName("date")->GetScalar(0).ValueOrDie()->ToString());
}

TEST_F(CutFilesTest, QuarantinedRecordsLieUnderTheDayTheyWereQuarantined) {
  Take("garbage");
  Take(Event(1, "US", kOct24));
  Take(std::nullopt);
  const Cut cut = Finish();
  const auto files = *WriteQuarantineFiles(&store_, cut);
  ASSERT_EQ(1u, files.size());
  EXPECT_THAT(
      files[0].partition_values,
      ElementsAre(std::pair<std::string, std::optional<std::string>>("date", "2025-10-25")));
  const lake::TableSpec spec = tables::QuarantineSpec(layout_->options.quarantine_table);
  EXPECT_THAT(OffsetsIn(spec.path, files[0], spec.schema), ElementsAre(100, 102));
}

TEST_F(CutFilesTest, ACutWithoutAnyWritesNoFile) {
  Take(Event(1, "US", kOct24));
  EXPECT_TRUE((*WriteQuarantineFiles(&store_, Finish())).empty());
  EXPECT_TRUE(store_.List("", "")->empty());
}

}  // namespace
}  // namespace shopstream::ingest
