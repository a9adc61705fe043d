#include "avro/decode_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::ElementsAre;

DecodeProgram Compiled(const Schema& writer, const Schema& reader) {
  return ValueOf(DecodeProgram::Compile(writer, reader));
}

std::vector<DecodeCode> CodesOf(const DecodeProgram& program) {
  std::vector<DecodeCode> codes;
  for (const DecodeOp& op : program.ops) codes.push_back(op.code);
  return codes;
}

DecodeCode Code(const char* writer, const char* reader) {
  const DecodeProgram program = Compiled(RecordOf(writer), RecordOf(reader));
  EXPECT_EQ(1u, program.ops.size());
  return program.ops[0].code;
}

TEST(DecodeProgramTest, APrimitiveIsOneOp) {
  EXPECT_EQ(DecodeCode::kInt, Code(R"("int")", R"("long")"));
  EXPECT_EQ(DecodeCode::kIntAsFloat, Code(R"("int")", R"("float")"));
  EXPECT_EQ(DecodeCode::kLongAsDouble, Code(R"("long")", R"("double")"));
  EXPECT_EQ(DecodeCode::kString, Code(R"("bytes")", R"("string")"));
  EXPECT_EQ(DecodeCode::kBytes, Code(R"("string")", R"("bytes")"));
  EXPECT_EQ(DecodeCode::kLongAsMillis,
            Code(R"("long")", R"({"type": "long", "logicalType": "timestamp-millis"})"));
  EXPECT_EQ(DecodeCode::kDate, Code(R"({"type": "int", "logicalType": "date"})",
                                    R"({"type": "int", "logicalType": "date"})"));
}

TEST(DecodeProgramTest, FieldsComeInTheWritersOrderThenDefaults) {
  const DecodeProgram program =
      Compiled(Record(R"({"name": "b", "type": "string"}, {"name": "only", "type": "long"},
                {"name": "a", "type": "int"})"),
               Record(R"({"name": "a", "type": "int"}, {"name": "b", "type": "string"},
                {"name": "new", "type": "string", "default": "xyz"},
                {"name": "none", "type": ["null", "int"], "default": null})"));
  EXPECT_THAT(CodesOf(program),
              ElementsAre(DecodeCode::kString, DecodeCode::kSkipLong, DecodeCode::kInt,
                          DecodeCode::kDefault, DecodeCode::kString, DecodeCode::kNull));
  EXPECT_THAT(program.places, ElementsAre("b", "only", "a", "new", "new", "none"));
  EXPECT_EQ(1, program.ops[0].column);
  EXPECT_EQ(1, program.ops[3].length);
  EXPECT_THAT(program.constants, ElementsAre("\x06xyz"));
  EXPECT_EQ(4, program.longest_text);
}

TEST(DecodeProgramTest, OpsThatBelongToAnotherFollowIt) {
  const DecodeProgram program =
      Compiled(RecordOf(R"({"type": "array", "items": ["null", "int", "string"]})"),
               RecordOf(R"({"type": "array", "items": ["null", "string", "int"]})"));
  EXPECT_THAT(CodesOf(program),
              ElementsAre(DecodeCode::kArray, DecodeCode::kUnion, DecodeCode::kNull,
                          DecodeCode::kNullMembers, DecodeCode::kInt, DecodeCode::kMarkValid,
                          DecodeCode::kMarkValid, DecodeCode::kNullMembers, DecodeCode::kString,
                          DecodeCode::kMarkValid, DecodeCode::kMarkValid));
  EXPECT_EQ(10, program.ops[0].length);
  ASSERT_EQ(1u, program.branches.size());
  const auto& branches = program.branches[0];
  ASSERT_EQ(3u, branches.size());
  EXPECT_EQ(1, branches[1].begin);
  EXPECT_EQ(5, branches[1].end);
}

}  // namespace
}  // namespace shopstream::avro
