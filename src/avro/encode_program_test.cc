#include "avro/encode_program.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

TEST(EncodeProgramTest, ColumnsAreFoundByName) {
  const auto columns =
      arrow::schema({arrow::field("b", arrow::utf8()), arrow::field("a", arrow::int32())});
  const auto ops = ValueOf(CompileEncodeOps(
      *columns, Record(R"({"name": "a", "type": ["null", "int"]}, {"name": "b", "type": "string"},
                          {"name": "c", "type": ["long", "null"]})")));
  ASSERT_EQ(3u, ops.size());
  EXPECT_EQ(EncodeCode::kInt32, ops[0].code);
  EXPECT_EQ(1, ops[0].column);
  EXPECT_EQ(1, ops[0].branch);
  EXPECT_EQ(0, ops[0].null_branch);
  EXPECT_EQ(0, ops[1].column);
  EXPECT_EQ(-1, ops[1].null_branch);
  EXPECT_EQ(EncodeCode::kNull, ops[2].code);
  EXPECT_EQ(-1, ops[2].column);
  EXPECT_EQ(1, ops[2].branch);
}

TEST(EncodeProgramTest, NamesTheColumnThatDoesNotFit) {
  const auto error = [](const std::shared_ptr<arrow::DataType>& column, const char* type) {
    return CompileEncodeOps(*arrow::schema({arrow::field("f", column)}), RecordOf(type))
        .status()
        .message();
  };
  EXPECT_THAT(error(arrow::utf8(), R"("int")"),
              HasSubstr("column f (string) cannot be written as int"));
  EXPECT_THAT(error(arrow::struct_({arrow::field("x", arrow::int64())}),
                    R"({"type": "record", "name": "P", "fields": []})"),
              HasSubstr("column f.x (int64) is not a field of record P"));
  EXPECT_THAT(CompileEncodeOps(*arrow::schema({}), ParseSchemaText(R"("int")")).status().message(),
              HasSubstr("wrap it in a record"));
}

}  // namespace
}  // namespace shopstream::avro
