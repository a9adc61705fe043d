#include "registry/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

using testing::ElementsAre;

TEST(MetadataTest, MergesByKey) {
  EXPECT_EQ(R"({"properties":{"a":"1","b":"3","c":"4"},"sensitive":["s","t"],"tags":{"x":["y"]}})",
            MergeMetadata(R"({"properties":{"a":"1","b":"2"},"sensitive":["s"]})",
                          R"({"properties":{"b":"3","c":"4"},"sensitive":["t","s"],)"
                          R"("tags":{"x":["y"]}})"));
  EXPECT_EQ("{}", MergeMetadata("", "{}"));
  EXPECT_EQ("{}", MergeMetadata("{}", ""));
}

TEST(MetadataTest, TheVersionIsAProperty) {
  const std::string with = WithVersionProperty(R"({"properties":{"a":"1"}})", 7);
  EXPECT_EQ("7", PropertyOf(with, kVersionProperty));
  EXPECT_EQ(R"({"properties":{"a":"1"}})", WithoutVersionProperty(with));
  EXPECT_EQ("", WithoutVersionProperty(WithVersionProperty("", 1)));
  EXPECT_FALSE(PropertyOf("", "a").has_value());
}

TEST(MetadataTest, ReservedFieldsAreAListOfNames) {
  EXPECT_THAT(ReservedFieldsOf(R"({"properties":{"confluent:reserved":"a, b ,,c"}})"),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(ReservedFieldsOf(""), ElementsAre());
}

TEST(MetadataTest, OrderMakesNoDifference) {
  EXPECT_TRUE(IsSameMetadata(R"({"properties":{"a":"1","b":"2"},"sensitive":["s","t"]})",
                             R"({"sensitive":["t","s","t"],"properties":{"b":"2","a":"1"}})"));
  EXPECT_TRUE(IsSameMetadata(R"({"tags":{"x":["a","b"]}})", R"({"tags":{"x":["b","a"]}})"));
  EXPECT_FALSE(IsSameMetadata(R"({"sensitive":["s"]})", R"({"sensitive":["t"]})"));
  EXPECT_FALSE(IsSameMetadata("", "{}"));
}

TEST(MetadataTest, ShapesAreChecked) {
  EXPECT_EQ(R"({"properties":{"a":"1"},"sensitive":["s","t"]})",
            *ReadMetadata(R"({"properties":{"a":1},"sensitive":["t","s"],"tags":{},"x":1})"));
  for (const char* wrong : {R"({"properties":{"a":{"b":1}}})", R"({"properties":["a"]})",
                            R"({"tags":{"x":"a"}})", R"({"sensitive":"s"})", "7"}) {
    EXPECT_TRUE(ReadMetadata(wrong).status().IsInvalid()) << wrong;
  }
}

}  // namespace
}  // namespace shopstream::registry
