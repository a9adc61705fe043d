#include "avro/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/node.h"
#include "avro/testing.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

// The merged fields as "name:type", the types as JSON without spaces.
std::string Fields(const Schema& schema) {
  std::string text;
  const auto parsed = nlohmann::json::parse(schema.text());
  for (const auto& field : parsed["fields"]) {
    text += (text.empty() ? "" : " ") + field["name"].get<std::string>() + ":" +
            (field["type"].is_string() ? field["type"].get<std::string>() : field["type"].dump());
  }
  return text;
}

std::string Merged(const Schema& reader, const Schema& writer) {
  const auto merged = MergeSchemas(reader, writer);
  if (!merged.ok()) return merged.status().message();
  EXPECT_TRUE(CheckReadable(*merged, reader).empty());
  EXPECT_TRUE(CheckReadable(*merged, writer).empty());
  // Merging again changes nothing.
  EXPECT_EQ(merged->text(), ValueOf(MergeSchemas(*merged, writer)).text());
  EXPECT_EQ(merged->text(), ValueOf(MergeSchemas(*merged, reader)).text());
  return Fields(*merged);
}

std::string MergedType(const char* reader, const char* writer) {
  return Merged(RecordOf(reader), RecordOf(writer));
}

TEST(MergeTest, WhatIsCoveredStaysAsItWasWritten) {
  const Schema reader = Record(R"({"name": "a", "type": "long", "doc": "kept"})");
  EXPECT_EQ(reader.text(), ValueOf(MergeSchemas(reader, reader)).text());
  EXPECT_EQ(reader.text(),
            ValueOf(MergeSchemas(reader, Record(R"({"name": "a", "type": "int"})"))).text());
}

TEST(MergeTest, NewFieldsComeAtTheEndAndMayBeNull) {
  const Schema one = Record(R"({"name": "a", "type": "int"})");
  const Schema two =
      Record(R"({"name": "b", "type": "string", "default": "x"}, {"name": "a", "type": "int"})");
  EXPECT_EQ(R"(a:int b:["null","string"])", Merged(one, two));
}

TEST(MergeTest, AFieldThatIsNotWrittenReadsAsNullWhateverItsDefault) {
  const Schema one = Record(R"({"name": "a", "type": "int"})");
  const Schema two =
      Record(R"({"name": "a", "type": "int"}, {"name": "b", "type": "string", "default": "x"})");
  EXPECT_EQ(R"(a:int b:["null","string"])", Merged(two, one));
}

TEST(MergeTest, TwoWritersWithAnotherNewFieldEachGiveTheSameFieldsInAnyOrder) {
  const Schema base = Record(R"({"name": "a", "type": "int"})");
  const Schema left = Record(R"({"name": "a", "type": "int"}, {"name": "l", "type": "long"})");
  const Schema right = Record(R"({"name": "a", "type": "int"}, {"name": "r", "type": "bytes"})");
  const Schema left_first = ValueOf(MergeSchemas(ValueOf(MergeSchemas(base, left)), right));
  const Schema right_first = ValueOf(MergeSchemas(ValueOf(MergeSchemas(base, right)), left));
  EXPECT_EQ(R"(a:int l:["null","long"] r:["null","bytes"])", Fields(left_first));
  EXPECT_EQ(R"(a:int r:["null","bytes"] l:["null","long"])", Fields(right_first));
  EXPECT_EQ(left_first.text(), ValueOf(MergeSchemas(left_first, right_first)).text());
}

TEST(MergeTest, NumbersWidenWithinTheirColumn) {
  EXPECT_EQ("f:long", MergedType(R"("int")", R"("long")"));
  EXPECT_EQ("f:double", MergedType(R"("float")", R"("double")"));
  // The column keeps its meaning, whatever the writer's values mean.
  EXPECT_EQ("f:long",
            MergedType(R"("int")", R"({"type": "long", "logicalType": "timestamp-millis"})"));
  EXPECT_EQ("f:double", MergedType(R"("double")", R"("int")"));
  EXPECT_THAT(MergedType(R"("int")", R"("double")"), HasSubstr("TYPE_MISMATCH at /fields/0/type"));
}

TEST(MergeTest, NullIsTakenIn) {
  EXPECT_EQ(R"(f:["null","string"])", MergedType(R"("string")", R"(["null", "string"])"));
  EXPECT_EQ(R"(f:["null","long"])", MergedType(R"(["null", "int"])", R"("long")"));
  EXPECT_EQ(R"(f:["string","null"])", MergedType(R"(["string", "null"])", R"("string")"));
}

TEST(MergeTest, NestedRecordsMergeMemberByMember) {
  EXPECT_EQ(
      R"(f:{"fields":[{"name":"x","type":"int"},{"default":null,"name":"y","type":["null","int"]}],)"
      R"("name":"N","type":"record"})",
      MergedType(R"({"type": "record", "name": "N", "fields": [{"name": "x", "type": "int"}]})",
                 R"({"type": "record", "name": "N", "fields": [{"name": "x", "type": "int"},
                                                               {"name": "y", "type": "int"}]})"));
  EXPECT_EQ(R"(f:{"items":{"fields":[{"default":null,"name":"x","type":["null","int"]},)"
            R"({"default":null,"name":"y","type":["null","int"]}],"name":"N","type":"record"},)"
            R"("type":"array"})",
            MergedType(R"({"type": "array", "items": {"type": "record", "name": "N",
                     "fields": [{"name": "x", "type": "int"}]}})",
                       R"({"type": "array", "items": {"type": "record", "name": "N",
                     "fields": [{"name": "y", "type": "int"}]}})"));
}

TEST(MergeTest, ANameIsOneTypeWhereverItStands) {
  const Schema reader = Record(R"({"name": "a", "type": {"type": "record", "name": "N",
      "fields": [{"name": "x", "type": "int"}]}}, {"name": "b", "type": "N"})");
  const Schema writer = Record(R"({"name": "b", "type": {"type": "record", "name": "N",
      "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}]}})");
  EXPECT_EQ(R"(a:["null",{"fields":[{"name":"x","type":"int"},{"default":null,"name":"y",)"
            R"("type":["null","int"]}],"name":"N","type":"record"}] b:N)",
            Merged(reader, writer));
}

TEST(MergeTest, SymbolsAndBranchesAreAdded) {
  EXPECT_EQ(R"(f:{"name":"E","symbols":["A","B"],"type":"enum"})",
            MergedType(R"({"type": "enum", "name": "E", "symbols": ["A"]})",
                       R"({"type": "enum", "name": "E", "symbols": ["B"]})"));
  EXPECT_EQ(R"(f:["null","long","string","boolean"])",
            MergedType(R"(["null", "int", "string"])", R"(["long", "string", "boolean"])"));
  EXPECT_THAT(MergedType(R"("string")", R"(["string", "int"])"), HasSubstr("TYPE_MISMATCH"));
  EXPECT_THAT(MergedType(R"(["null", "string"])", R"(["string", "int"])"),
              HasSubstr("TYPE_MISMATCH at /fields/0/type: the table's union of null, string"));
}

TEST(MergeTest, ARenamedFieldIsANewOneUnlessTheReaderKnowsIt) {
  const Schema old_name = Record(R"({"name": "a", "type": "int"})");
  const Schema new_name = Record(R"({"name": "b", "type": "int", "aliases": ["a"]})");
  EXPECT_EQ(R"(a:["null","int"] b:["null","int"])", Merged(old_name, new_name));
  EXPECT_EQ("b:int", Merged(new_name, old_name));
}

TEST(MergeTest, WhatCannotBeReadNamesPlaceRuleAndRemedy) {
  const std::string reason = MergedType(R"("long")", R"("string")");
  EXPECT_THAT(reason, HasSubstr("TYPE_MISMATCH at /fields/0/type"));
  EXPECT_THAT(reason, HasSubstr("the reader's long cannot hold the writer's string"));
  EXPECT_THAT(reason, HasSubstr("new field"));
  EXPECT_THAT(Merged(RecordOf(R"("long")"),
                     ParseSchemaText(R"({"type": "record", "name": "Other", "fields": []})")),
              HasSubstr("NAME_MISMATCH at /name"));
}

TEST(MergeTest, LogicalTypesKeepTheirMeaning) {
  EXPECT_THAT(MergedType(R"({"type": "long", "logicalType": "timestamp-millis"})",
                         R"({"type": "long", "logicalType": "timestamp-micros"})"),
              HasSubstr("TYPE_MISMATCH at /fields/0/type: the table's long (timestamp-millis)"));
  EXPECT_THAT(
      MergedType(R"({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})",
                 R"({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3})"),
      HasSubstr("precision 9 and scale 3"));
  EXPECT_EQ(R"(f:{"logicalType":"timestamp-millis","type":"long"})",
            Fields(RecordOf(R"({"type": "long", "logicalType": "timestamp-millis"})")));
}

TEST(MergeTest, AnInvalidDefaultIsNone) {
  const Schema reader = ValueOf(Schema::ParseKept(R"({"type": "record", "name": "R", "fields": [
      {"name": "a", "type": "int"}, {"name": "b", "type": "int", "default": "x"}]})"));
  const Schema writer = Record(R"({"name": "a", "type": "int"})");
  EXPECT_THAT(Decoder::Compile(writer, reader).status().message(),
              HasSubstr("is not written, and its default is not valid"));
  const Schema table = ValueOf(MergeSchemas(reader, writer));
  EXPECT_EQ("union of null, int", Describe(*table.root().fields[1].type));
  EXPECT_TRUE(Decoder::Compile(writer, table).ok());
  EXPECT_TRUE(Decoder::Compile(reader, table).ok());
}

}  // namespace
}  // namespace shopstream::avro
