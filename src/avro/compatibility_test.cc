#include "avro/compatibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

// "TYPE_MISMATCH at /fields/0/type", in the order reported.
std::vector<std::string> Broken(std::string_view reader, std::string_view writer) {
  std::vector<std::string> broken;
  for (const auto& found : CheckReadable(ParseSchemaText(reader), ParseSchemaText(writer))) {
    EXPECT_NE("", found.message);
    EXPECT_NE("", found.remedy);
    broken.push_back(std::string(Name(found.rule)) + " at " + found.path);
  }
  return broken;
}

TEST(CompatibilityTest, PrimitivesArePromotedOneWay) {
  const std::vector<std::string> kinds = {"null",  "boolean", "int",   "long",
                                          "float", "double",  "bytes", "string"};
  const std::string promotions =
      "int>long int>float int>double long>float long>double "
      "float>double string>bytes bytes>string ";
  for (const std::string& writer : kinds) {
    for (const std::string& reader : kinds) {
      const bool readable =
          reader == writer || promotions.find(writer + ">" + reader + " ") != std::string::npos;
      EXPECT_EQ(readable, Broken('"' + reader + '"', '"' + writer + '"').empty())
          << writer << " as " << reader;
    }
  }
}

constexpr const char* kOrder = R"({"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "int"}, {"name": "note", "type": "string"}]})";

TEST(CompatibilityTest, FieldsComeAndGo) {
  EXPECT_THAT(Broken(R"({"type": "record", "name": "Order", "fields": [
                  {"name": "id", "type": "long"},
                  {"name": "total", "type": "double", "default": 0}]})",
                     kOrder),
              IsEmpty());
  EXPECT_THAT(Broken(R"({"type": "record", "name": "Order", "fields": [
                  {"name": "id", "type": "string"}, {"name": "total", "type": "double"},
                  {"name": "note", "type": "int"}]})",
                     kOrder),
              ElementsAre("TYPE_MISMATCH at /fields/0/type",
                          "READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1",
                          "TYPE_MISMATCH at /fields/2/type"));
}

TEST(CompatibilityTest, NamesAndAliases) {
  EXPECT_THAT(Broken(R"({"type": "record", "name": "Buy", "aliases": ["Order"], "fields": [
                  {"name": "key", "aliases": ["id"], "type": "int"}]})",
                     kOrder),
              IsEmpty());
  EXPECT_THAT(Broken(R"({"type": "record", "name": "shop.Order", "fields": []})", kOrder),
              IsEmpty());
  EXPECT_THAT(Broken(R"({"type": "record", "name": "Buy", "fields": []})", kOrder),
              ElementsAre("NAME_MISMATCH at /name"));
}

TEST(CompatibilityTest, EnumsAndFixed) {
  const char* abc = R"({"type": "enum", "name": "E", "symbols": ["A", "B", "C"]})";
  const char* ab = R"({"type": "enum", "name": "E", "symbols": ["A", "B"]})";
  EXPECT_THAT(Broken(abc, ab), IsEmpty());
  EXPECT_THAT(Broken(ab, abc), ElementsAre("MISSING_ENUM_SYMBOLS at /symbols"));
  EXPECT_THAT(
      Broken(R"({"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "A"})", abc),
      IsEmpty());
  EXPECT_THAT(Broken(R"({"type": "fixed", "name": "F", "size": 2})",
                     R"({"type": "fixed", "name": "F", "size": 3})"),
              ElementsAre("FIXED_SIZE_MISMATCH at /size"));
}

TEST(CompatibilityTest, Unions) {
  EXPECT_THAT(Broken(R"(["null", "long"])", R"("int")"), IsEmpty());
  EXPECT_THAT(Broken(R"(["string", "null"])", R"(["null", "string"])"), IsEmpty());
  EXPECT_THAT(Broken(R"(["null", "long"])", R"("string")"),
              ElementsAre("MISSING_UNION_BRANCH at "));
  EXPECT_THAT(Broken(R"(["null", "int"])", R"(["null", "int", "string"])"),
              ElementsAre("MISSING_UNION_BRANCH at "));
  EXPECT_THAT(Broken(R"({"type": "map", "values": "int"})",
                     R"({"type": "map", "values": ["int", "boolean"]})"),
              ElementsAre("TYPE_MISMATCH at /values"));
}

TEST(CompatibilityTest, AReaderWithoutNullIsReportedAsRefusingOnlyNulls) {
  const auto found = CheckReadable(RecordOf(R"("long")"), RecordOf(R"(["null", "int"])"));
  EXPECT_THAT(found, ElementsAre(AllOf(Field(&Incompatibility::rule, ResolutionRule::kTypeMismatch),
                                       Field(&Incompatibility::only_nulls, true),
                                       Field(&Incompatibility::message, HasSubstr("null")))));
}

TEST(CompatibilityTest, RecordsInUnionsAreChosenByFullName) {
  const char* both =
      R"([{"type": "record", "name": "a.R", "fields": [{"name": "x", "type": "int"}]},
                         {"type": "record", "name": "b.R", "fields": [{"name": "y", "type": "int"}]}])";
  EXPECT_THAT(Broken(both, both), IsEmpty());
  EXPECT_THAT(Broken(both, R"({"type": "record", "name": "c.R", "fields": []})"),
              ElementsAre("READER_FIELD_MISSING_DEFAULT_VALUE at /0/fields/0"));
}

TEST(CompatibilityTest, RecursiveSchemasEnd) {
  const char* list = R"({"type": "record", "name": "List", "fields": [
      {"name": "value", "type": "int"}, {"name": "next", "type": ["null", "List"]}]})";
  const char* wider = R"({"type": "record", "name": "List", "fields": [
      {"name": "value", "type": "long"}, {"name": "next", "type": ["null", "List"]}]})";
  EXPECT_THAT(Broken(wider, list), IsEmpty());
  EXPECT_THAT(Broken(list, wider), ElementsAre("TYPE_MISMATCH at /fields/0/type"));
}

// Each record refers to the one before, so that references nest far deeper than definitions.
TEST(CompatibilityTest, LongChainsOfReferencesNeedNoStack) {
  std::string chain = R"([{"type": "record", "name": "R0", "fields": []})";
  for (int i = 1; i < 2'000; ++i) {
    chain += R"(,{"type":"record","name":"R)" + std::to_string(i) +
             R"(","fields":[{"name":"f","type":"R)" + std::to_string(i - 1) + R"("}]})";
  }
  chain += "]";
  EXPECT_THAT(Broken(chain, chain), IsEmpty());
}

}  // namespace
}  // namespace shopstream::avro
