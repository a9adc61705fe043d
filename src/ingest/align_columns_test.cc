#include "ingest/align_columns.h"

#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace shopstream::ingest {
namespace {

std::shared_ptr<arrow::Array> Array(const std::shared_ptr<arrow::DataType>& type,
                                    const std::string& values) {
  return *arrow::json::ArrayFromJSONString(type, values);
}

const auto kInner = arrow::struct_({arrow::field("x", arrow::int64(), false)});
const auto kGrownInner =
    arrow::struct_({arrow::field("x", arrow::int64()), arrow::field("y", arrow::utf8())});

TEST(AlignColumnsTest, MembersAreAddedAsNullsAtAnyDepth) {
  const auto list = Array(arrow::list(kInner), R"([[{"x": 1}, {"x": 2}], null, []])");
  const auto aligned = AlignArray(list, arrow::list(kGrownInner));
  ASSERT_TRUE(aligned.ok()) << aligned.status();
  ASSERT_TRUE((*aligned)->ValidateFull().ok());
  EXPECT_TRUE((*aligned)->Equals(Array(
      arrow::list(kGrownInner), R"([[{"x": 1, "y": null}, {"x": 2, "y": null}], null, []])")));

  const auto map_type = arrow::map(arrow::utf8(), kInner);
  const auto grown_map = arrow::map(arrow::utf8(), kGrownInner);
  const auto map = AlignArray(Array(map_type, R"([[["k", {"x": 1}]], []])"), grown_map);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_TRUE((*map)->Equals(Array(grown_map, R"([[["k", {"x": 1, "y": null}]], []])")));
}

TEST(AlignColumnsTest, ASliceKeepsItsPlace) {
  const auto all = Array(kInner, R"([{"x": 1}, {"x": 2}, {"x": 3}])");
  const auto aligned = *AlignArray(all->Slice(1, 2), kGrownInner);
  ASSERT_TRUE(aligned->ValidateFull().ok());
  EXPECT_TRUE(aligned->Equals(Array(kGrownInner, R"([{"x": 2, "y": null}, {"x": 3, "y": null}])")));
}

TEST(AlignColumnsTest, BatchesOfGrowingSchemasAreJoined) {
  const auto old_schema = arrow::schema({arrow::field("a", arrow::int64())});
  const auto schema =
      arrow::schema({arrow::field("b", arrow::utf8()), arrow::field("a", arrow::int64())});
  const auto joined = *AlignBatches(
      {arrow::RecordBatch::Make(old_schema, 2, {Array(arrow::int64(), "[1, 2]")}),
       arrow::RecordBatch::Make(schema, 1,
                                {Array(arrow::utf8(), R"(["x"])"), Array(arrow::int64(), "[3]")})},
      schema);
  ASSERT_TRUE(joined->ValidateFull().ok());
  EXPECT_TRUE(joined->column(0)->Equals(Array(arrow::utf8(), R"([null, null, "x"])")));
  EXPECT_TRUE(joined->column(1)->Equals(Array(arrow::int64(), "[1, 2, 3]")));
}

TEST(AlignColumnsTest, AnotherTypeIsRefused) {
  EXPECT_FALSE(AlignArray(Array(arrow::int64(), "[1]"), arrow::utf8()).ok());
}

}  // namespace
}  // namespace shopstream::ingest
