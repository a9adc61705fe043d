#include "registry/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

using testing::ElementsAre;

TEST(MetadataTest, MergesByKey) {
  EXPECT_EQ(R"({"properties":{"a":"1","b":"3","c":"4"},"sensitive":["s","t"],"tags":{"x":["y"]}})",
            MergeMetadata(R"({"properties":{"a":"1","b":"2"},"sensitive":["s"]})",
                          R"({"properties":{"b":"3","c":"4"},"sensitive":["s","t"],)"
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
  EXPECT_TRUE(IsSameJson(R"({"a":1,"b":{"c":1,"d":2}})", R"({"b":{"d":2,"c":1},"a":1})"));
  EXPECT_FALSE(IsSameJson("", "{}"));
}

}  // namespace
}  // namespace shopstream::registry
