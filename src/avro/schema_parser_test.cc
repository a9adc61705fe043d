#include "avro/schema_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

TEST(SchemaParserTest, AReferenceIsTheNodeOfItsDefinition) {
  const auto tree = ValueOf(ParseSchema(R"({"type": "record", "name": "a.R", "fields": [
      {"name": "x", "type": {"type": "enum", "name": "E", "symbols": ["A"]}},
      {"name": "y", "type": "E"}, {"name": "z", "type": ["null", "a.R"]}]})"));
  const Node& record = *tree->root;
  EXPECT_EQ("a.E", record.fields[0].type->name);
  EXPECT_EQ(record.fields[0].type, record.fields[1].type);
  EXPECT_EQ(&record, record.fields[2].type->branches[1]);
}

TEST(SchemaParserTest, PrimitivesWithoutAnnotationsAreOneNode) {
  const auto tree = ValueOf(ParseSchema(R"(["int", {"type": "array", "items": "int"}])"));
  EXPECT_EQ(tree->root->branches[0], tree->root->branches[1]->items);
  EXPECT_EQ(3u, tree->nodes.size());
}

TEST(SchemaParserTest, ADefaultMayBeOfARecordThatIsStillBeingRead) {
  const auto parse = [](const char* value) {
    return ParseSchema(R"({"type": "record", "name": "R", "fields": [
        {"name": "next", "type": ["R", "null"], "default": )" +
                       std::string(value) + R"(}, {"name": "x", "type": "int", "default": 1}]})")
        .status();
  };
  EXPECT_TRUE(parse("null").ok());
  EXPECT_TRUE(parse(R"({"next": null, "x": 2})").ok());
  EXPECT_THAT(parse(R"({"next": null, "x": "a"})").message(),
              HasSubstr("at /fields/0/default: the default of field \"next\" is not a union"));
}

TEST(SchemaParserTest, BoundsWhatADocumentMayAskFor) {
  const auto nested = [](int depth) {
    std::string text = R"("int")";
    for (int i = 0; i < depth; ++i) text = R"({"type":"array","items":)" + text + "}";
    return ParseSchema(text).status();
  };
  EXPECT_TRUE(nested(Schema::kMaxDepth).ok());
  EXPECT_THAT(nested(Schema::kMaxDepth + 1).message(), HasSubstr("nest more than 500 deep"));
  EXPECT_THAT(nested(5 * Schema::kMaxDepth).message(), HasSubstr("brackets nest more than"));
  EXPECT_THAT(ParseSchema(std::string(Schema::kMaxText + 1, ' ')).status().message(),
              HasSubstr("at most 1048576"));
}

}  // namespace
}  // namespace shopstream::avro
