#include "lake/parquet/parquet_encoding.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>
#include <parquet/schema.h>

#include <functional>
#include <string>

namespace shopstream::lake {
namespace {

constexpr int64_t kManyRows = 100'000;

std::shared_ptr<arrow::RecordBatch> Texts(int64_t rows,
                                          const std::function<std::string(int64_t)>& text) {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(text(i)).ok());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", arrow::utf8())}), rows,
                                  {*builder.Finish()});
}

// The properties of column c in a file of `rows` rows like those of the batch.
parquet::ColumnProperties PropertiesOf(const std::shared_ptr<arrow::RecordBatch>& batch,
                                       int64_t rows) {
  const auto encodings = Encodings::For(Selection(*batch)).ValueOrDie();
  const auto properties = encodings.Properties(rows, {}, arrow::default_memory_pool());
  return properties->column_properties(parquet::schema::ColumnPath::FromDotString("c"));
}

std::string Number(int64_t i) { return std::to_string(i * 7919); }

TEST(Encodings, SmallFilesUseSnappyAndOthersZstd) {
  const auto batch = Texts(kManyRows, Number);
  EXPECT_EQ(parquet::Compression::SNAPPY, PropertiesOf(batch, 100).compression());
  EXPECT_EQ(parquet::Compression::ZSTD, PropertiesOf(batch, kManyRows).compression());
}

TEST(Encodings, FewRowsOfLargeValuesUseZstd) {
  const auto batch = Texts(50, [](int64_t i) { return Number(i) + std::string(20'000, 'x'); });
  EXPECT_EQ(parquet::Compression::ZSTD, PropertiesOf(batch, 50).compression());
}

TEST(Encodings, ADictionaryOfOneValueIsNotCompressed) {
  const auto value = std::static_pointer_cast<arrow::StringArray>(
      Texts(1, [](int64_t) { return "purchase-events"; })->column(0));
  arrow::Int32Builder indices;
  for (int64_t i = 0; i < kManyRows; ++i) ASSERT_TRUE(indices.Append(0).ok());
  const auto column =
      arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                         *indices.Finish(), value)
          .ValueOrDie();
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("c", arrow::utf8())}),
                                              kManyRows, {column});
  const auto properties = PropertiesOf(batch, kManyRows);
  EXPECT_TRUE(properties.dictionary_enabled());
  EXPECT_EQ(parquet::Compression::UNCOMPRESSED, properties.compression());
}

// The sample may be the beginning of a longer file, or miss the other values.
TEST(Encodings, ASampleOfOneValueIsCompressedAllTheSame) {
  const auto properties = PropertiesOf(Texts(kManyRows, [](int64_t) { return "none"; }), kManyRows);
  EXPECT_TRUE(properties.dictionary_enabled());
  EXPECT_EQ(parquet::Compression::ZSTD, properties.compression());
}

TEST(Encodings, ADictionaryIsForValuesThatRepeat) {
  EXPECT_TRUE(PropertiesOf(Texts(kManyRows, [](int64_t i) { return Number(i % 50); }), kManyRows)
                  .dictionary_enabled());
  const auto distinct = PropertiesOf(Texts(kManyRows, Number), kManyRows);
  EXPECT_FALSE(distinct.dictionary_enabled());
  EXPECT_EQ(parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY, distinct.encoding());
}

}  // namespace
}  // namespace shopstream::lake
