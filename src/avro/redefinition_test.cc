#include "avro/redefinition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

// Two fields, each with a definition of type T.
Status Twice(const std::string& first, const std::string& second) {
  return Schema::Parse(R"({"type": "record", "name": "R", "fields": [
      {"name": "a", "type": )" +
                       first + R"(}, {"name": "b", "type": )" + second + "}]}")
      .status();
}

TEST(RedefinitionTest, AnEqualDefinitionMayBeRepeated) {
  const std::string fixed = R"({"type": "fixed", "name": "T", "size": 4})";
  const std::string record = R"({"type": "record", "name": "T", "fields": [
      {"name": "next", "type": ["null", "T"], "default": null}]})";
  EXPECT_TRUE(Twice(fixed, fixed).ok());
  EXPECT_TRUE(Twice(record, record).ok());
  EXPECT_TRUE(Twice(R"({"type": "enum", "name": "T", "symbols": ["A"], "doc": "one"})",
                    R"({"type": "enum", "name": "T", "symbols": ["A"], "aliases": ["U"]})")
                  .ok());
}

TEST(RedefinitionTest, ADifferentDefinitionIsRefused) {
  const auto fixed = [](const std::string& rest) {
    return R"({"type": "fixed", "name": "T", )" + rest + "}";
  };
  const auto record = [](const std::string& field) {
    return R"({"type": "record", "name": "T", "fields": [{"name": "x", )" + field + "}]}";
  };
  for (const auto& [first, second] :
       {std::pair(fixed(R"("size": 4)"), fixed(R"("size": 5)")),
        std::pair(fixed(R"("size": 4)"), fixed(R"("size": 4, "of": "mine")")),
        std::pair(fixed(R"("size": 4)"), record(R"("type": "int")")),
        std::pair(record(R"("type": "int")"), record(R"("type": "long")")),
        std::pair(record(R"("type": "int")"), record(R"("type": "int", "default": 0)")),
        std::pair(record(R"("type": "int")"), record(R"("type": "int", "order": "ignore")"))}) {
    EXPECT_THAT(Twice(first, second).message(), HasSubstr("/name: type T is defined twice"))
        << first << " and " << second;
  }
}

}  // namespace
}  // namespace shopstream::avro
