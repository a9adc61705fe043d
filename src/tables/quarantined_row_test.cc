#include "tables/quarantined_row.h"

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "lake/parquet/parquet_file.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

// One row of each column's JSON, in the order of QuarantineFields().
std::shared_ptr<arrow::RecordBatch> Row(const std::vector<std::string>& values) {
  const arrow::FieldVector fields = QuarantineFields();
  arrow::ArrayVector columns;
  for (size_t i = 0; i < fields.size(); ++i) {
    columns.push_back(
        arrow::json::ArrayFromJSONString(fields[i]->type(), "[" + values.at(i) + "]").ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 1, columns);
}

TEST(QuarantinedRows, AreReadAsTheyWereStored) {
  simulate::MemoryStore store;
  const auto stored = Row({R"("t")", R"("id")", "2", "7", "1000", "5", R"("corrupt")", R"("why")",
                           R"("k")", R"("v")", R"("[]")", "2000"});
  const auto file = lake::WriteDataFile(&store, "q", {}, stored).ValueOrDie();
  std::vector<QuarantinedRow> found;
  ASSERT_TRUE(VisitQuarantined(&store, "q", file, stored->schema(), [&](const auto& rows) {
                for (int64_t row = 0; row < rows.size(); ++row) found.push_back(rows.Read(row));
                return Status::OK();
              }).ok());
  ASSERT_EQ(1u, found.size());
  const QuarantinedRow& row = found[0];
  EXPECT_EQ("t", row.topic);
  EXPECT_EQ("id", row.topic_id);
  EXPECT_EQ(2, row.partition);
  EXPECT_EQ(7, row.offset);
  EXPECT_EQ(1000, row.timestamp_us);
  EXPECT_EQ(5, row.schema_id);
  EXPECT_EQ("corrupt", row.cause);
  EXPECT_EQ("why", row.detail);
  EXPECT_EQ("k", row.key);
  EXPECT_EQ("v", row.value);
  EXPECT_EQ("[]", row.headers);
  EXPECT_EQ(2000, row.quarantined_at_us);
}

TEST(QuarantinedRows, MayLackEverythingButTheCause) {
  const auto rows = Row({"null", "null", "null", "null", "null", "null", R"("empty")", "null",
                         "null", "null", "null", "null"});
  const QuarantinedRow row = QuarantinedRows::Of(*rows).ValueOrDie().Read(0);
  EXPECT_EQ(-1, row.offset);
  EXPECT_FALSE(row.timestamp_us || row.schema_id || row.key || row.value);
  EXPECT_EQ("empty", row.cause);
}

// An earlier version took the partition's date from Kafka's timestamp.
TEST(QuarantinedRows, AreReadFromAPartitionWhoseDateNoReaderAccepts) {
  simulate::MemoryStore store;
  const auto rows = Row({"null", "null", "0", "7", "null", "null", R"("corrupt")", "null", "null",
                         "null", "null", "null"});
  const auto file = lake::WriteDataFile(&store, "q", {{kDate, "10000-01-01"}}, rows).ValueOrDie();
  int64_t seen = 0;
  const Status status = VisitQuarantined(
      &store, "q", file, QuarantineSpec("q").schema, [&](const QuarantinedRows& found) {
        EXPECT_EQ(std::nullopt, found.coordinates().At(0));
        EXPECT_EQ(7, found.Read(0).offset);  // Known fields of a foreign row are shown.
        seen += found.size();
        return Status::OK();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(1, seen);
}

TEST(QuarantinedRows, AMissingColumnIsNamed) {
  simulate::MemoryStore store;
  const auto fields = arrow::schema({arrow::field("n", arrow::int64())});
  const auto rows = arrow::RecordBatch::Make(
      fields, 1,
      arrow::ArrayVector{arrow::json::ArrayFromJSONString(arrow::int64(), "[1]").ValueOrDie()});
  const auto file = lake::WriteDataFile(&store, "q", {}, rows).ValueOrDie();
  const Status status =
      VisitQuarantined(&store, "q", file, fields, [](const auto&) { return Status::OK(); });
  EXPECT_EQ("table q has no column kafka_topic", status.message());
}

}  // namespace
}  // namespace shopstream::tables
