#include "lake/parquet/parquet_file.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include <limits>

#include "base/json.h"
#include "lake/parquet/column_statistics.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

using nlohmann::json;

std::shared_ptr<arrow::DataType> Time() { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }

std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& values) {
  return arrow::json::ArrayFromJSONString(type, values).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> Batch(
    const std::vector<std::pair<std::shared_ptr<arrow::Field>, std::string>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [field, values] : columns) {
    fields.push_back(field);
    arrays.push_back(Column(field->type(), values));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
}

class ParquetFileTest : public ::testing::Test {
 protected:
  DataFile Write(const std::shared_ptr<arrow::RecordBatch>& rows,
                 const PartitionValues& partition = {}) {
    return WriteDataFile(&store_, "t", partition, rows).ValueOrDie();
  }
  // For each leaf: whether the first row group's footer has bounds for it.
  std::vector<bool> FooterBounds(const DataFile& file) {
    const auto reader =
        parquet::ParquetFileReader::Open(store_.OpenInput("t/" + file.path).ValueOrDie());
    const auto group = reader->metadata()->RowGroup(0);
    std::vector<bool> bounds;
    for (int i = 0; i < group->num_columns(); ++i) {
      const auto statistics = group->ColumnChunk(i)->statistics();
      bounds.push_back(statistics != nullptr && statistics->HasMinMax());
    }
    return bounds;
  }
  json Statistics(const std::shared_ptr<arrow::RecordBatch>& rows) {
    return json::parse(Write(rows).statistics);
  }
  std::shared_ptr<arrow::Table> Read(const DataFile& file,
                                     const std::shared_ptr<arrow::Schema>& schema,
                                     const std::vector<std::string>& columns = {}) {
    return ReadDataFile(&store_, "t", file, schema, columns).ValueOrDie();
  }

  MemoryStore store_;
};

TEST_F(ParquetFileTest, RowsComeBackWithTheirPartition) {
  const auto rows =
      Batch({{arrow::field("id", arrow::utf8()), R"(["a", "b", null])"},
             {arrow::field("n", arrow::int64()), "[1, null, 3]"},
             {arrow::field("at", Time()), "[1, 2, null]"},
             {arrow::field("raw", arrow::binary()), R"(["x", null, ""])"},
             {arrow::field("flag", arrow::boolean()), "[true, false, null]"},
             {arrow::field("day", arrow::date32()), "[1, 2, 3]"},
             {arrow::field("usd", arrow::decimal128(18, 2)), R"(["1.25", null, "-3.00"])"}});
  const DataFile file = Write(rows, {{"region", "US"}, {"date", "2025-10-24"}});
  EXPECT_THAT(file.path, ::testing::MatchesRegex("region=US/date=2025-10-24/part-.*\\.parquet"));
  EXPECT_EQ(3, file.rows);
  auto fields = rows->schema()->fields();
  fields.push_back(arrow::field("region", arrow::utf8()));
  fields.push_back(arrow::field("date", arrow::date32()));
  const auto table = Read(file, arrow::schema(fields));
  ASSERT_TRUE(table->ValidateFull().ok());
  for (const auto& name : rows->schema()->field_names()) {
    EXPECT_TRUE(table->GetColumnByName(name)->chunk(0)->Equals(rows->GetColumnByName(name)))
        << name;
  }
  EXPECT_EQ("US", table->GetColumnByName("region")->GetScalar(2).ValueOrDie()->ToString());
  EXPECT_EQ("2025-10-24", table->GetColumnByName("date")->GetScalar(0).ValueOrDie()->ToString());
}

TEST_F(ParquetFileTest, ANullPartitionValueIsANull) {
  const DataFile file = Write(Batch({{arrow::field("n", arrow::int64()), "[1, 2]"}}),
                              {{"region", std::nullopt}, {"date", std::nullopt}});
  const auto table = Read(file, arrow::schema({arrow::field("region", arrow::utf8()),
                                               arrow::field("date", arrow::date32())}));
  EXPECT_EQ(2, table->GetColumnByName("region")->null_count());
  EXPECT_EQ(2, table->GetColumnByName("date")->null_count());
}

TEST_F(ParquetFileTest, ColumnsAreChosenAndTheMissingAreNull) {
  const DataFile file = Write(Batch({{arrow::field("a", arrow::int64()), "[1, 2]"},
                                     {arrow::field("b", arrow::int64()), "[3, 4]"}}));
  const auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64()),
                     arrow::field("added", arrow::utf8())});
  const auto table = Read(file, schema, {"added", "b"});
  EXPECT_EQ((std::vector<std::string>{"added", "b"}), table->schema()->field_names());
  EXPECT_EQ(2, table->GetColumnByName("added")->null_count());
  EXPECT_TRUE(table->GetColumnByName("b")->chunk(0)->Equals(*Column(arrow::int64(), "[3, 4]")));
  EXPECT_EQ(2, Read(file, schema, {"added"})->num_rows());
  EXPECT_TRUE(ReadDataFile(&store_, "t", file, schema, {"c"}).status().IsInvalid());
}

TEST_F(ParquetFileTest, OnlyTheSelectedRowsAreWritten) {
  const auto rows = Batch({{arrow::field("id", arrow::utf8()), R"(["a", "b", null, "d"])"},
                           {arrow::field("n", arrow::int64()), "[1, 2, 3, 4]"}});
  const DataFile file =
      WriteDataFile(&store_, "t", {}, rows, std::vector<int32_t>{3, 2, 0}).ValueOrDie();
  EXPECT_EQ(3, file.rows);
  const auto table = Read(file, rows->schema());
  EXPECT_TRUE(table->column(0)->chunk(0)->Equals(*Column(arrow::utf8(), R"(["d", null, "a"])")));
  EXPECT_TRUE(table->column(1)->chunk(0)->Equals(*Column(arrow::int64(), "[4, 3, 1]")));
  const json statistics = json::parse(file.statistics);
  EXPECT_EQ("d", statistics["maxValues"]["id"]);
  EXPECT_EQ(1, statistics["nullCount"]["id"]);
}

TEST_F(ParquetFileTest, OtherWritersTypesAreBroughtToTheTables) {
  const auto rows =
      Batch({{arrow::field("n", arrow::int32()), "[1, 2]"},
             {arrow::field("at", arrow::timestamp(arrow::TimeUnit::NANO)), "[1500, 2000]"}});
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto int96 =
      parquet::ArrowWriterProperties::Builder().enable_deprecated_int96_timestamps()->build();
  ASSERT_TRUE(parquet::arrow::WriteTable(**arrow::Table::FromRecordBatches({rows}),
                                         arrow::default_memory_pool(), sink, 100,
                                         parquet::default_writer_properties(), int96)
                  .ok());
  ASSERT_TRUE(store_.Put("t/spark.parquet", **sink->Finish()).ok());
  DataFile file;
  file.path = "spark.parquet";
  const auto table =
      Read(file, arrow::schema({arrow::field("n", arrow::int64()), arrow::field("at", Time())}));
  EXPECT_TRUE(table->column(0)->chunk(0)->Equals(*Column(arrow::int64(), "[1, 2]")));
  EXPECT_TRUE(table->column(1)->chunk(0)->Equals(*Column(Time(), "[1, 2]")));
}

TEST_F(ParquetFileTest, AMissingFileIsNamed) {
  DataFile file;
  file.path = "gone.parquet";
  EXPECT_THAT(ReadDataFile(&store_, "t", file, arrow::schema({})).status().message(),
              ::testing::HasSubstr("t/gone.parquet"));
}

TEST_F(ParquetFileTest, ManyRowsOfEveryEncodingComeBack) {
  arrow::StringBuilder ids;
  arrow::StringBuilder words;
  arrow::Int64Builder numbers;
  for (int64_t i = 0; i < 100000; ++i) {
    ASSERT_TRUE(ids.Append("id-" + std::to_string(i * 7919)).ok());
    ASSERT_TRUE(words.Append("word" + std::to_string(i % 10)).ok());
    ASSERT_TRUE((i % 11 == 0 ? numbers.AppendNull() : numbers.Append(i * i)).ok());
  }
  const auto rows = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("word", arrow::utf8()),
                     arrow::field("number", arrow::int64())}),
      100000, arrow::ArrayVector{*ids.Finish(), *words.Finish(), *numbers.Finish()});
  const auto table = Read(Write(rows), rows->schema());
  EXPECT_TRUE(table->Equals(**arrow::Table::FromRecordBatches({rows})));
}

// --- Statistics ----------------------------------------------------------------------------------

TEST_F(ParquetFileTest, StatisticsBoundEveryColumn) {
  const json statistics = Statistics(
      Batch({{arrow::field("id", arrow::utf8()), R"(["b", "a", null])"},
             {arrow::field("n", arrow::int64()), "[9007199254740993, null, -3]"},
             {arrow::field("x", arrow::float64()), "[1.5, -2.25, null]"},
             {arrow::field("at", Time()), "[1761264000000001, 1761264000000999, null]"},
             {arrow::field("day", arrow::date32()), "[20385, 20386, null]"},
             {arrow::field("usd", arrow::decimal128(18, 2)), R"(["1.25", null, "-3.00"])"},
             {arrow::field("paid", arrow::boolean()), "[false, null, true]"},
             {arrow::field("raw", arrow::binary()), R"(["x", null, ""])"}}));
  EXPECT_EQ(json::parse(R"({"numRecords": 3,
      "minValues": {"id": "a", "n": -3, "x": -2.25, "at": "2025-10-24T00:00:00.000Z",
                    "day": "2025-10-24", "usd": -3.00, "paid": false},
      "maxValues": {"id": "b", "n": 9007199254740993, "x": 1.5, "at": "2025-10-24T00:00:00.001Z",
                    "day": "2025-10-25", "usd": 1.25, "paid": true},
      "nullCount": {"id": 1, "n": 1, "x": 1, "at": 1, "day": 1, "usd": 1, "paid": 1,
                    "raw": 1}})"),
            statistics);
}

TEST_F(ParquetFileTest, AColumnOfNullsHasNoBounds) {
  const json statistics = Statistics(Batch({{arrow::field("n", arrow::int64()), "[null, null]"}}));
  EXPECT_EQ(
      json::parse(R"({"numRecords": 2, "minValues": {}, "maxValues": {}, "nullCount": {"n": 2}})"),
      statistics);
}

// --- Values without a true bound ---

TEST_F(ParquetFileTest, NotANumberBoundsNothing) {
  arrow::DoubleBuilder builder;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ASSERT_TRUE(builder.AppendValues({2, 3, nan, 1}).ok());
  const auto x = *builder.Finish();
  const auto rows = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("x", arrow::float64()), arrow::field("n", arrow::int64())}), 4,
      arrow::ArrayVector{x, Column(arrow::int64(), "[1, 2, 3, 4]")});
  const DataFile file = Write(rows);
  EXPECT_EQ(R"({"numRecords":4})", file.statistics);
  EXPECT_EQ((std::vector<bool>{false, true}), FooterBounds(file));
  // Rows without it are bounded, although other rows of the batch have it.
  const DataFile others = *WriteDataFile(&store_, "t", {}, rows, {0, 3});
  EXPECT_EQ(2.0, json::parse(others.statistics)["maxValues"]["x"]);
  EXPECT_EQ((std::vector<bool>{true, true}), FooterBounds(others));
  EXPECT_EQ(R"({"numRecords":2})", WriteDataFile(&store_, "t", {}, rows, {3, 2})->statistics);
}

TEST_F(ParquetFileTest, ZerosHaveBoundsInTheLogButNotInTheFooter) {
  const DataFile file = Write(Batch({{arrow::field("x", arrow::float64()), "[0.0, null, 0.0]"},
                                     {arrow::field("y", arrow::float64()), "[0.0, null, 1.0]"}}));
  EXPECT_EQ((std::vector<bool>{false, true}), FooterBounds(file));
  EXPECT_EQ(json::parse(R"({"numRecords": 3, "minValues": {"x": -0.0, "y": -0.0},
                            "maxValues": {"x": 0.0, "y": 1.0}, "nullCount": {"x": 1, "y": 1}})"),
            json::parse(file.statistics));
}

TEST_F(ParquetFileTest, NotANumberInAStructBoundsNothing) {
  arrow::FloatBuilder builder;
  ASSERT_TRUE(builder.AppendValues({1, std::numeric_limits<float>::quiet_NaN()}).ok());
  const auto x = *builder.Finish();
  const auto inner = *arrow::StructArray::Make({x}, {arrow::field("x", arrow::float32())});
  const auto outer = *arrow::StructArray::Make({inner}, {arrow::field("inner", inner->type())});
  const auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("outer", outer->type())}),
                                             2, arrow::ArrayVector{outer});
  const DataFile file = Write(rows);
  EXPECT_EQ(R"({"numRecords":2})", file.statistics);
  EXPECT_EQ((std::vector<bool>{false}), FooterBounds(file));
  EXPECT_EQ(1.0, json::parse(WriteDataFile(&store_, "t", {}, rows, {0})
                                 ->statistics)["minValues"]["outer"]["inner"]["x"]);
}

TEST_F(ParquetFileTest, TimesThatNoTextShowsBoundNothing) {
  for (const auto& [type, values] :
       std::vector<std::pair<std::shared_ptr<arrow::DataType>, const char*>>{
           {arrow::date32(), "[20385, 2147483647]"},
           {arrow::date32(), "[-719163, 0]"},
           {Time(), "[0, 2060000000000000000]"},
           {Time(), "[-62135596800000001, 0]"}}) {
    SCOPED_TRACE(values);
    const DataFile file = Write(Batch({{arrow::field("t", type), values}}));
    EXPECT_EQ(R"({"numRecords":2})", file.statistics);
    EXPECT_EQ((std::vector<bool>{false}), FooterBounds(file));
  }
}

TEST_F(ParquetFileTest, LongTextIsCutOnTheSafeSide) {
  const std::string a(40, 'a');
  const std::string z = std::string(31, 'a') + "zz";
  const json statistics =
      Statistics(Batch({{arrow::field("s", arrow::utf8()), json::array({a, z}).dump()}}));
  EXPECT_EQ(std::string(32, 'a'), statistics["minValues"]["s"]);
  EXPECT_EQ(std::string(31, 'a') + "{", statistics["maxValues"]["s"]);  // '{' follows 'z'.
}

TEST_F(ParquetFileTest, TextThatTheFooterLeavesOutIsBounded) {
  const std::string a(5000, 'a');
  const DataFile file =
      Write(Batch({{arrow::field("s", arrow::utf8()), json::array({a, "hello", nullptr}).dump()}}));
  EXPECT_EQ((std::vector<bool>{false}), FooterBounds(file));
  EXPECT_EQ(json({{"numRecords", 3},
                  {"minValues", {{"s", std::string(32, 'a')}}},
                  {"maxValues", {{"s", "hello"}}},
                  {"nullCount", {{"s", 1}}}}),
            json::parse(file.statistics));
}

TEST_F(ParquetFileTest, AStructIsThereEvenWithoutBounds) {
  const auto type = arrow::struct_(
      {arrow::field("n", arrow::int64()),
       arrow::field("inner", arrow::struct_({arrow::field("x", arrow::float64())}))});
  const json statistics = Statistics(Batch({{arrow::field("s", type), "[null, null]"}}));
  EXPECT_EQ(json::parse(R"({"numRecords": 2, "minValues": {"s": {"inner": {}}},
      "maxValues": {"s": {"inner": {}}}, "nullCount": {"s": {"n": 2, "inner": {"x": 2}}}})"),
            statistics);
}

TEST_F(ParquetFileTest, AStructWithMembersThatHaveNoBoundsLeavesTheRowsAlone) {
  for (const auto& member : {arrow::binary(), arrow::list(arrow::int64())}) {
    const auto inner =
        arrow::struct_({arrow::field("m", arrow::int64()), arrow::field("raw", member)});
    const auto type =
        arrow::struct_({arrow::field("n", arrow::int64()), arrow::field("inner", inner)});
    EXPECT_EQ(json::parse(R"({"numRecords": 1})"),
              Statistics(Batch({{arrow::field("s", type), R"([{"n": 1}])"}})));
    EXPECT_TRUE(Statistics(Batch({{arrow::field("top", member), "[null]"},
                                  {arrow::field("n", arrow::int64()), "[1]"}}))
                    .contains("minValues"));
  }
}

TEST_F(ParquetFileTest, BoundsAreOfAllRowGroups) {
  arrow::Int64Builder builder;
  constexpr int64_t kRows = (1 << 20) + 10;
  for (int64_t i = 0; i < kRows; ++i) ASSERT_TRUE(builder.Append(i).ok());
  const auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                                             kRows, arrow::ArrayVector{*builder.Finish()});
  const json statistics = Statistics(rows);
  EXPECT_EQ(0, statistics["minValues"]["n"]);
  EXPECT_EQ(kRows - 1, statistics["maxValues"]["n"]);
}

class ParallelStore : public MemoryStore {
 public:
  int ParallelPuts() const override { return 4; }
};

// Rows 0, 1, ... of one column, row i in partition i % 12.
std::vector<PartitionRows> TwelvePartitions(int rows) {
  std::vector<PartitionRows> partitions(12);
  for (int i = 0; i < 12; ++i) partitions[i].values = {{"p", std::to_string(i)}};
  for (int row = 0; row < rows; ++row) partitions[row % 12].rows.push_back(row);
  return partitions;
}

TEST(WriteDataFilesTest, ThreadsKeepTheOrderOfPartitionsAndRows) {
  FaultyStore store(std::make_unique<ParallelStore>());
  arrow::Int64Builder n;
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(n.Append(i).ok());
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  const auto rows = arrow::RecordBatch::Make(schema, 5000, {*n.Finish()});
  const auto partitions = TwelvePartitions(5000);
  const auto files = WriteDataFiles(&store, "t", rows, partitions).ValueOrDie();
  ASSERT_EQ(12U, files.size());
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(partitions[i].values, files[i].partition_values);
    const auto table = ReadDataFile(&store, "t", files[i], schema, {"n"}).ValueOrDie();
    ASSERT_EQ(static_cast<int64_t>(partitions[i].rows.size()), table->num_rows());
    const auto column =
        std::static_pointer_cast<arrow::Int64Array>((*table->CombineChunks())->column(0)->chunk(0));
    for (int64_t row = 0; row < column->length(); ++row) {
      ASSERT_EQ(partitions[i].rows[row], column->Value(row));
    }
  }
}

TEST(WriteDataFilesTest, AFailedPutIsReturned) {
  FaultyStore store(std::make_unique<ParallelStore>());
  store.On(Operation::kPut).Skipping(5).FailsBefore();
  arrow::Int64Builder n;
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(n.Append(i).ok());
  const auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                                             5000, {*n.Finish()});
  EXPECT_TRUE(WriteDataFiles(&store, "t", rows, TwelvePartitions(5000)).status().IsIOError());
  EXPECT_LE(store.Count(Operation::kPut), 12);
}

}  // namespace
}  // namespace shopstream::lake
