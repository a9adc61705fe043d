#include "lake/parquet/data_file_stream.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>

#include <cmath>
#include <vector>

#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::MemoryStore;

std::shared_ptr<arrow::RecordBatch> Numbers(const std::vector<double>& values) {
  arrow::DoubleBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::float64())}),
                                  static_cast<int64_t>(values.size()),
                                  arrow::ArrayVector{*builder.Finish()});
}

class DataFileWriterTest : public ::testing::Test {
 protected:
  // Nothing: the rows must be written again.
  std::optional<DataFile> Write(const std::vector<std::vector<double>>& batches,
                                ColumnPaths* unbounded) {
    const auto writer =
        DataFileWriter::Open(&store_, "t", {}, *Numbers(batches[0]), *unbounded, StreamMemory())
            .ValueOrDie();
    for (const auto& batch : batches) EXPECT_TRUE(writer->Write(*Numbers(batch)).ok());
    auto file = writer->Finish().ValueOrDie();
    *unbounded = writer->unbounded();
    return file;
  }
  bool FooterHasBounds(const DataFile& file) {
    const auto reader =
        parquet::ParquetFileReader::Open(store_.OpenInput("t/" + file.path).ValueOrDie());
    const auto statistics = reader->metadata()->RowGroup(0)->ColumnChunk(0)->statistics();
    return statistics != nullptr && statistics->HasMinMax();
  }

  MemoryStore store_;
};

TEST_F(DataFileWriterTest, NotANumberThatComesLateIsWrittenAgainWithoutBounds) {
  ColumnPaths unbounded;
  EXPECT_EQ(std::nullopt, Write({{1, 2}, {3, std::nan("")}, {4}}, &unbounded));
  EXPECT_EQ(ColumnPaths{"x"}, unbounded);
  EXPECT_TRUE(static_cast<ObjectStore&>(store_).List("t/").ValueOrDie().empty());
  const auto file = Write({{1, 2}, {3, std::nan("")}, {4}}, &unbounded);
  ASSERT_TRUE(file);
  EXPECT_EQ(R"({"numRecords":5})", file->statistics);
  EXPECT_FALSE(FooterHasBounds(*file));
}

TEST_F(DataFileWriterTest, NumbersAreBoundedAtOnce) {
  ColumnPaths unbounded;
  const auto file = Write({{1, 2}, {0, 3}}, &unbounded);
  ASSERT_TRUE(file);
  EXPECT_EQ(R"({"numRecords":4,"minValues":{"x":-0.0},"maxValues":{"x":3.0},"nullCount":{"x":0}})",
            file->statistics);
  EXPECT_TRUE(FooterHasBounds(*file));
}

}  // namespace
}  // namespace shopstream::lake
