#include "registry/shape.h"

#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

constexpr ShapedMember kMembers[] = {
    {"name", Shape::kName},  {"doc", Shape::kText},       {"disabled", Shape::kFlag},
    {"tags", Shape::kTexts}, {"params", Shape::kTextMap}, {"sets", Shape::kTextSets},
};

std::string Read(const std::string& text) {
  const auto read = ReadMembers(ParseOrderedJson(text), kMembers);
  return read.ok() ? DumpJson(*read) : read.status().message();
}

TEST(ShapeTest, KeepsWhatIsKnownAndHoldsSomething) {
  EXPECT_EQ(R"({"params":{"b":"1","a":""},"name":"","sets":{"x":[]}})",
            Read(R"({"params":{"b":"1","a":"","c":null},"other":{},"name":"","doc":"","tags":[],
                     "disabled":false,"sets":{"x":[]}})"));
  EXPECT_EQ("{}", Read(R"({"name":null,"params":{},"sets":{}})"));
}

TEST(ShapeTest, SortsSetsAndTakesNumbersForText) {
  EXPECT_EQ(R"({"tags":["1","a","b"],"sets":{"x":["a","b"]},"params":{"n":"1.5","t":"true"},)"
            R"("disabled":true})",
            Read(R"({"tags":["b",1,"a","b"],"sets":{"x":["b","a"]},"params":{"n":1.5,"t":true},
                     "disabled":true})"));
}

TEST(ShapeTest, NamesTheMemberOfAnotherShape) {
  EXPECT_EQ("it is not an object", Read("[]"));
  EXPECT_EQ("params.a is not text", Read(R"({"params":{"a":{"b":1}}})"));
  EXPECT_EQ("params is not an object", Read(R"({"params":["a"]})"));
  EXPECT_EQ("tags is not a list of texts", Read(R"({"tags":"a"})"));
  EXPECT_EQ("an item of tags is not text", Read(R"({"tags":[null]})"));
  EXPECT_EQ("sets.x is not a list of texts", Read(R"({"sets":{"x":"a"}})"));
  EXPECT_EQ("disabled is not true or false", Read(R"({"disabled":"no"})"));
  EXPECT_EQ("name is not text", Read(R"({"name":[]})"));
}

}  // namespace
}  // namespace shopstream::registry
