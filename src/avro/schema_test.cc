#include "avro/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "avro/node.h"
#include "avro/testing.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ErrorOf(std::string_view json) {
  const auto schema = Schema::Parse(json);
  return schema.ok() ? "no error" : schema.status().message();
}

TEST(SchemaTest, ReadsEveryKindOfType) {
  const Schema schema = ParseSchemaText(R"({
    "type": "record", "name": "Order", "namespace": "com.shop", "aliases": ["Purchase", "old.Buy"],
    "fields": [
      {"name": "id", "type": {"type": "fixed", "name": "Id", "size": 16}},
      {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"],
                                 "default": "NEW"}},
      {"name": "lines", "type": {"type": "array", "items": {"type": "map", "values": "double"}}},
      {"name": "note", "aliases": ["remark"], "type": ["null", "string"], "default": null},
      {"name": "parent", "type": ["null", "Order"]},
      {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9,
                                 "scale": 2}},
      {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]})");
  const Node& order = schema.root();
  EXPECT_EQ("com.shop.Order", order.name);
  EXPECT_THAT(order.aliases, ElementsAre("com.shop.Purchase", "old.Buy"));
  ASSERT_EQ(7u, order.fields.size());
  EXPECT_EQ("fixed com.shop.Id", Describe(*order.fields[0].type));
  EXPECT_EQ(16, order.fields[0].type->size);
  EXPECT_EQ("NEW", order.fields[1].type->default_symbol);
  EXPECT_EQ(Kind::kDouble, order.fields[2].type->items->items->kind);
  EXPECT_EQ("union of null, string", Describe(*order.fields[3].type));
  EXPECT_THAT(order.fields[3].aliases, ElementsAre("remark"));
  EXPECT_TRUE(order.fields[3].default_value->is_null());
  EXPECT_EQ(&order, order.fields[4].type->branches[1]);
  EXPECT_EQ(9, order.fields[5].type->precision);
  EXPECT_EQ("long (timestamp-millis)", Describe(*order.fields[6].type));
}

TEST(SchemaTest, IgnoresLogicalTypesThatDoNotFit) {
  for (const char* type :
       {R"({"type": "string", "logicalType": "timestamp-millis"})",
        R"({"type": "long", "logicalType": "made-up"})",
        R"({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3})",
        R"({"type": "bytes", "logicalType": "decimal"})", R"({"type": "int", "logicalType": 7})"}) {
    EXPECT_EQ("", ParseSchemaText(type).root().logical_type) << type;
  }
}

TEST(SchemaTest, CopiesShareTheTree) {
  Schema copy = RecordOf(R"("int")");
  {
    const Schema original = RecordOf(R"("string")");
    copy = original;
  }
  EXPECT_EQ(Kind::kString, copy.root().fields[0].type->kind);
}

TEST(SchemaTest, ErrorsNamePlaceAndRule) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type": )", "not JSON"},
      {"\"\xFF\"", "not JSON"},
      {R"("Order")", "at the root: unknown type \"Order\""},
      {R"(7)", "at the root: a type is a name, an object or a list"},
      {R"({"name": "R"})", "at the root: \"type\" is missing"},
      {R"({"type": "record", "name": "R"})", "\"fields\" of record R is not a list"},
      {R"({"type": "record", "name": "1R", "fields": []})", "at /name: \"1R\": a name starts"},
      {R"({"type": "record", "name": "R", "namespace": "a..b", "fields": []})", "at /namespace"},
      {R"({"type": "record", "name": "string", "fields": []})", "the name of a primitive"},
      {R"({"type": "record", "name": "R", "fields": [{"name": "a"}]})",
       "at /fields/0: \"type\" of field \"a\" is missing"},
      {R"({"type": "record", "name": "R", "fields": [{"name": "a-b", "type": "int"}]})",
       "at /fields/0/name: \"a-b\""},
      {R"({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"},
                                                     {"name": "a", "type": "int"}]})",
       "at /fields/1: record R has two fields \"a\""},
      {R"({"type": "record", "name": "R", "fields": [
            {"name": "a", "type": "int", "order": "up"}]})",
       "at /fields/0/order"},
      {R"({"type": "record", "name": "R", "fields": [
            {"name": "a", "type": ["null", "intt"]}]})",
       "at /fields/0/type/1: unknown type \"intt\""},
      {R"({"type": "record", "name": "R", "fields": [
            {"name": "a", "type": "int", "default": "x"}]})",
       "at /fields/0/default: the default of field \"a\" is not a int"},
      {R"(["int", "int"])", "at /1: the union has two branches of int"},
      {R"(["int", ["null"]])", "at /1: a union must not contain a union"},
      {R"({"type": "array"})", "\"items\" of the array is missing"},
      {R"({"type": "map", "values": {"type": "enum", "name": "E", "symbols": ["A", "A"]}})",
       "at /values/symbols: enum E has two symbols A"},
      {R"({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"})", "at /default"},
      {R"({"type": "enum", "name": "E"})", "\"symbols\" of enum E is missing"},
      {R"({"type": "fixed", "name": "F", "size": -1})", "\"size\" of fixed F"},
      {R"([{"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 1}])",
       "at /1: the union has two branches of F"},
      {R"({"type": {"type": "int"}})", "at /type: \"type\" is not a string"},
      {R"({"type": "array", "items": {"type": ["null", "int"]}})", "at /items/type: \"type\" is"},
      {"\xEF\xBB\xBF\"int\"", "at byte 0: a byte order mark"},
      {"\"int\" // end", "at byte 6: a comment follows the schema"}};
  for (const auto& [json, message] : cases) EXPECT_THAT(ErrorOf(json), HasSubstr(message)) << json;
}

TEST(SchemaTest, DefaultsFitTheirTypes) {
  const std::pair<std::string_view, bool> cases[] = {
      {R"("type": "int", "default": 2147483647)", true},
      {R"("type": "int", "default": 2147483648)", false},
      {R"("type": "long", "default": 9223372036854775807)", true},
      {R"("type": "long", "default": 9223372036854775808)", false},
      {R"("type": "long", "default": 1.5)", false},
      {R"("type": "double", "default": 0)", true},
      {R"("type": "boolean", "default": 0)", false},
      {R"("type": "bytes", "default": "\u00ff")", true},
      {R"("type": "bytes", "default": "\u0100")", true},  // Although no reader can take it.
      {R"("type": "double", "default": "NaN")", true},
      {R"("type": "double", "default": "zero")", false},
      {R"("type": ["null", "int"], "default": null)", true},
      {R"("type": ["null", "int"], "default": 1)", true},
      {R"("type": ["null", "int"], "default": "x")", false},
      {R"("type": {"type": "fixed", "name": "F", "size": 2}, "default": "ab")", true},
      {R"("type": {"type": "fixed", "name": "F", "size": 2}, "default": "abc")", true},
      {R"("type": {"type": "array", "items": "int"}, "default": [1, 2])", true},
      {R"("type": {"type": "array", "items": "int"}, "default": [1, "2"])", false},
      {R"("type": {"type": "map", "values": "int"}, "default": {"a": 1})", true},
      {R"("type": {"type": "map", "values": "int"}, "default": {"a": null})", false},
      {R"("type": ["null", "R"], "default": {"f": null})", true},
      {R"("type": ["null", "R"], "default": {"f": {"f": null}})", true},
      {R"("type": ["null", "R"], "default": {"f": 1})", false}};
  for (const auto& [field, valid] : cases) {
    const std::string json =
        R"({"type": "record", "name": "R", "fields": [{"name": "f", )" + std::string(field) + "}]}";
    EXPECT_EQ(valid, Schema::Parse(json).ok()) << field;
    EXPECT_TRUE(Schema::ParseKept(json).ok()) << field;
    const bool no_number = field.find("zero") != std::string_view::npos;
    EXPECT_EQ(!no_number, Schema::Parse(json, {.validate_defaults = false}).ok()) << field;
  }
}

TEST(SchemaTest, OnlyDefaultsOfTheTypeAreValidForReaders) {
  const Schema schema = ValueOf(Schema::Parse(R"({"type": "record", "name": "R", "fields": [
      {"name": "a", "type": "int", "default": "x"},
      {"name": "b", "type": "bytes", "default": "\u0100"},
      {"name": "c", "type": "double", "default": "0.5"},
      {"name": "d", "type": {"type": "record", "name": "I", "fields": [
          {"name": "x", "type": "int", "default": null}]}, "default": {}},
      {"name": "e", "type": "I", "default": {"x": 1}},
      {"name": "f", "type": ["null", "R"], "default": {}}]})",
                                              {.validate_defaults = false}));
  std::string valid;
  for (const Field& field : schema.root().fields) {
    EXPECT_NE(nullptr, field.default_value);
    if (field.default_valid) valid += field.name;
  }
  EXPECT_EQ("ce", valid) << "f leaves out fields without a valid default, itself among them";
}

TEST(SchemaTest, TakesWhatJavaTakes) {
  const char* const schema = R"(/* Orders */ {
    "type": "record", "name": "Запись", "namespace": 7, // not a namespace
    "fields": [
      {"name": "größe", "type": "Size", "order": "IGNORE"},
      {"name": "none", "type": []},
      {"name": "next", "type": ["null", "Запись", "Size"]},
      {"name": "size", "type": {"type": "enum", "name": "Size", "symbols": ["S"], "default": null}},
      {"name": "bare", "type": {"type": "fixed", "name": ".Bare", "namespace": "a", "size": 1}}
    ]})";
  const Schema parsed = ParseSchemaText(schema);
  const Node& root = parsed.root();
  EXPECT_EQ("Запись", root.name);
  EXPECT_EQ(root.fields[3].type, root.fields[0].type);
  EXPECT_EQ(root.fields[3].type, root.fields[2].type->branches[2]);
  EXPECT_TRUE(root.fields[1].type->branches.empty());
  EXPECT_FALSE(root.fields[3].type->default_symbol.has_value());
  EXPECT_EQ("Bare", root.fields[4].type->name);
}

TEST(SchemaTest, AForwardReferenceIsSearchedInItsNamespaceFirst) {
  const char* const schema = R"({"type": "record", "name": "a.R", "fields": [
      {"name": "x", "type": "E"},
      {"name": "y", "type": {"type": "enum", "name": "E", "namespace": "", "symbols": ["A"]}}%s]})";
  const auto of_x = [&](const std::string& more) {
    std::string text = schema;
    text.replace(text.find("%s"), 2, more);
    return ParseSchemaText(text).root().fields[0].type->name;
  };
  EXPECT_EQ("E", of_x(""));
  EXPECT_EQ("a.E", of_x(R"(, {"name": "z", "type": {"type": "enum", "name": "E",
                             "symbols": ["A"]}})"));
}

TEST(SchemaTest, KeptSchemasMayWrapTypes) {
  const Schema kept = ValueOf(Schema::ParseKept(R"({"type": {"type": "array", "items":
      {"type": ["null", "int"]}}})"));
  EXPECT_EQ("union of null, int", Describe(*kept.root().items));
}

TEST(SchemaTest, BoundsDepthAndSize) {
  const auto nested = [](int depth) {
    std::string json;
    for (int i = 0; i < depth; ++i) json += R"({"type": "array", "items": )";
    return json + R"("int")" + std::string(depth, '}');
  };
  EXPECT_TRUE(Schema::Parse(nested(Schema::kMaxDepth)).ok());
  EXPECT_THAT(ErrorOf(nested(Schema::kMaxDepth + 1)), HasSubstr("types nest more than"));
  EXPECT_THAT(ErrorOf(std::string(200'000, '[')), HasSubstr("brackets nest more than"));
  EXPECT_THAT(ErrorOf(std::string(Schema::kMaxText + 1, ' ')), HasSubstr("at most 1048576"));
}

// The examples of the specification's test suite, share/test/data/schema-tests.txt.
TEST(SchemaTest, CanonicalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type":"null"})", R"("null")"},
      {R"(["int","boolean"])", R"(["int","boolean"])"},
      {R"({"fields":[], "type":"record", "name":"foo", "namespace":"x.y"})",
       R"({"name":"x.y.foo","type":"record","fields":[]})"},
      {R"({"fields":[], "type":"record", "name":"a.b.foo", "namespace":"x.y"})",
       R"({"name":"a.b.foo","type":"record","fields":[]})"},
      {R"({"type":"record","name":"foo","doc":"Useful info","fields":[{"name":"f1",
          "type":"boolean","default":true,"order":"descending"}]})",
       R"({"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"}]})"},
      {R"({"type":"enum","name":"foo","symbols":["A1","A2"],"aliases":["b"]})",
       R"({"name":"foo","type":"enum","symbols":["A1","A2"]})"},
      {R"({"namespace":"x.y.z","type":"fixed","doc":"foo bar","name":"foo","size":32})",
       R"({"name":"x.y.z.foo","type":"fixed","size":32})"},
      {R"({"items":{"type":"null"},"type":"array"})", R"({"type":"array","items":"null"})"},
      {R"({"values":"string","type":"map"})", R"({"type":"map","values":"string"})"},
      {R"({"type":"record","name":"PigValue","fields":[{"name":"value","type":["null",
          {"type":"long","logicalType":"date"},"PigValue"]}]})",
       R"({"name":"PigValue","type":"record","fields":[{"name":"value","type":["null","long","PigValue"]}]})"}};
  for (const auto& [json, canonical] : cases) {
    EXPECT_EQ(canonical, ParseSchemaText(json).CanonicalForm());
    EXPECT_EQ(canonical, ParseSchemaText(canonical).CanonicalForm());
  }
}

}  // namespace
}  // namespace shopstream::avro
