#include "registry/compatibility_level.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shopstream::registry {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kId = R"({"type":"record","name":"R","fields":[{"name":"id","type":"int"}]})";
const std::string kMore =
    R"({"type":"record","name":"R","fields":[{"name":"id","type":"int"},{"name":"n","type":"int"}]})";
const std::string kText =
    R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"}]})";

std::vector<std::string> Check(CompatibilityLevel level, const std::string& candidate,
                               const std::vector<std::string>& texts) {
  std::vector<EarlierVersion> earlier;
  for (const std::string& text : texts) {
    earlier.push_back({.version = static_cast<int>(earlier.size()) + 1, .schema = text});
  }
  return CheckCompatible(level, *avro::Schema::Parse(candidate), earlier);
}

TEST(CompatibilityLevelTest, NamesAreReadInAnyCase) {
  EXPECT_EQ(CompatibilityLevel::kFullTransitive, ParseCompatibilityLevel("full_transitive"));
  EXPECT_FALSE(ParseCompatibilityLevel("fully"));
  EXPECT_FALSE(ParseCompatibilityLevel(""));
  EXPECT_STREQ("FORWARD_TRANSITIVE", Name(CompatibilityLevel::kForwardTransitive));
}

TEST(CompatibilityLevelTest, EachLevelAsksForItsDirection) {
  EXPECT_THAT(Check(CompatibilityLevel::kForward, kMore, {kId}), IsEmpty());
  EXPECT_FALSE(Check(CompatibilityLevel::kBackward, kMore, {kId}).empty());
  EXPECT_THAT(Check(CompatibilityLevel::kBackward, kId, {kMore}), IsEmpty());
  EXPECT_FALSE(Check(CompatibilityLevel::kFull, kId, {kMore}).empty());
  EXPECT_THAT(Check(CompatibilityLevel::kNone, kText, {kId}), IsEmpty());
}

TEST(CompatibilityLevelTest, OnlyTransitiveLevelsLookBeyondTheLatest) {
  EXPECT_THAT(Check(CompatibilityLevel::kBackward, kId, {kText, kId}), IsEmpty());
  EXPECT_FALSE(Check(CompatibilityLevel::kBackwardTransitive, kId, {kText, kId}).empty());
}

TEST(CompatibilityLevelTest, ReasonsAreInConfluentsFormat) {
  const auto reasons = Check(CompatibilityLevel::kBackward, kMore, {kId});
  ASSERT_EQ(3u, reasons.size());
  EXPECT_THAT(reasons[0],
              AllOf(StartsWith("{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The "
                               "new schema cannot read data of the old schema (path '/fields/1')"),
                    HasSubstr("additionalInfo:'n'}")));
  EXPECT_EQ("{oldSchemaVersion: 1}", reasons[1]);
  EXPECT_EQ("{oldSchema: '" + kId + "'}", reasons[2]);
}

TEST(CompatibilityLevelTest, OtherTypesOfSchemaAreNotComparable) {
  const auto reasons =
      CheckCompatible(CompatibilityLevel::kBackward, *avro::Schema::Parse(kId),
                      {{.version = 1, .type = "PROTOBUF", .schema = "message R {}"}});
  ASSERT_FALSE(reasons.empty());
  EXPECT_THAT(reasons[0], HasSubstr("version 1 is PROTOBUF, not AVRO"));
}

TEST(CompatibilityLevelTest, WhatIsNotUnderstoodFollowsItsType) {
  const std::vector<EarlierVersion> earlier = {{.version = 1, .schema = kId},
                                               {.version = 2, .type = "JSON", .schema = "{}"}};
  EXPECT_THAT(CheckType(CompatibilityLevel::kFull, "JSON", earlier), IsEmpty());
  EXPECT_THAT(CheckType(CompatibilityLevel::kNone, "PROTOBUF", earlier), IsEmpty());
  EXPECT_THAT(CheckType(CompatibilityLevel::kFull, "PROTOBUF", earlier).at(0),
              HasSubstr("version 2 is JSON, not PROTOBUF"));
  EXPECT_THAT(CheckType(CompatibilityLevel::kFullTransitive, "JSON", earlier).at(0),
              HasSubstr("version 1 is AVRO, not JSON"));
}

}  // namespace
}  // namespace shopstream::registry
