#include "tables/coordinates.h"

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "lake/parquet/parquet_file.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& values) {
  return arrow::json::ArrayFromJSONString(type, values).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> Rows(const std::shared_ptr<arrow::Array>& partitions,
                                         const std::string& offset_name = kOffset) {
  const auto schema = arrow::schema({arrow::field(kTopicId, arrow::utf8()),
                                     arrow::field(kPartition, partitions->type()),
                                     arrow::field(offset_name, arrow::int64())});
  return arrow::RecordBatch::Make(
      schema, 4,
      arrow::ArrayVector{Column(arrow::utf8(), R"(["a", "b", null, "a"])"), partitions,
                         Column(arrow::int64(), "[7, -1, 9, 8]")});
}

const auto kPartitions = Column(arrow::int32(), "[0, 1, 2, null]");

TEST(CoordinateColumns, ANullOrNegativeCoordinateMakesARowAnothersThanIngests) {
  const auto rows = Rows(kPartitions);
  const auto columns = CoordinateColumns::Of(*rows).ValueOrDie();
  const auto first = columns.At(0);
  ASSERT_TRUE(first);
  EXPECT_EQ("a", first->topic_id);
  EXPECT_EQ(0, first->partition);
  EXPECT_EQ(7, first->offset);
  for (const int64_t row : {1, 2, 3}) EXPECT_FALSE(columns.At(row)) << row;
}

TEST(CoordinateColumns, AMissingColumnAndAnotherTypeAreNamed) {
  const auto missing = CoordinateColumns::Of(*Rows(kPartitions, "offset")).status();
  EXPECT_EQ("there is no column kafka_offset", missing.message());
  const auto other = CoordinateColumns::Of(*Rows(Column(arrow::int64(), "[0, 1, 2, 3]"))).status();
  EXPECT_EQ("column kafka_partition is int64, not int32", other.message());
}

TEST(CoordinateColumns, HaveTheTimeOfSendingIfThereIsOne) {
  const auto sent = [](const std::shared_ptr<arrow::DataType>& type) {
    const auto rows = Rows(Column(arrow::int32(), "[0, 1, 2, 3]"));
    const auto with_sent =
        rows->AddColumn(3, arrow::field(kTimestamp, type), Column(type, "[5000, 6000, 7000, null]"))
            .ValueOrDie();
    simulate::MemoryStore store;
    const auto file = lake::WriteDataFile(&store, "t", {}, with_sent).ValueOrDie();
    std::vector<std::optional<int64_t>> seen;
    EXPECT_TRUE(VisitCoordinates(&store, "t", file, with_sent->schema(), [&](const auto& row) {
                  if (row) seen.push_back(row->timestamp_us);
                  return true;
                }).ok());
    return seen;
  };
  using Seen = std::vector<std::optional<int64_t>>;
  EXPECT_EQ((Seen{5000, std::nullopt}), sent(Instant()));
  EXPECT_EQ((Seen{std::nullopt, std::nullopt}), sent(arrow::int64())) << "another type";
}

TEST(VisitCoordinates, StopsWhereTheCallerSaysSo) {
  simulate::MemoryStore store;
  const auto rows = Rows(kPartitions);
  const auto file = lake::WriteDataFile(&store, "t", {}, rows).ValueOrDie();
  const auto visited = [&](int64_t most) {
    int64_t seen = 0;
    EXPECT_TRUE(VisitCoordinates(&store, "t", file, rows->schema(), [&](const auto&) {
                  return ++seen < most;
                }).ok());
    return seen;
  };
  EXPECT_EQ(4, visited(100));
  EXPECT_EQ(2, visited(2));
}

}  // namespace
}  // namespace shopstream::tables
