#include "base/config_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConfigSettingsTest : public testing::Test {
 protected:
  Status Set(const char* key, const std::string& value) {
    return SetSetting(*FindSetting(key), value, &config_);
  }
  std::string Error(const char* key, const std::string& value) { return Set(key, value).message(); }
  Config config_;
};

TEST_F(ConfigSettingsTest, AChoiceNamesItsValues) {
  ASSERT_TRUE(Set("registry.subject_strategy", "topic_record").ok());
  EXPECT_EQ("topic_record", config_.registry.subject_strategy);
  EXPECT_EQ("'recrd' is not one of topic, record, topic_record; did you mean 'record'?",
            Error("registry.subject_strategy", "recrd"));
  ASSERT_TRUE(Set("ingest.event_time_unit", "").ok());
  EXPECT_THAT(Error("ingest.event_time_unit", "min"),
              HasSubstr("not one of empty, d, s, ms, us, ns"));
}

TEST_F(ConfigSettingsTest, ADateIsDaysSince1970) {
  EXPECT_EQ("2000-01-01", SettingText(*FindSetting("ingest.event_time_earliest"), config_));
  for (const auto& [text, days] : {std::pair("1970-01-01", 0),
                                   {"1969-12-31", -1},
                                   {"0001-01-01", -719'162},
                                   {"9999-12-31", 2'932'896}}) {
    ASSERT_TRUE(Set("ingest.event_time_earliest", text).ok()) << text;
    EXPECT_EQ(days, config_.ingest.event_time_earliest);
    EXPECT_EQ(text, SettingText(*FindSetting("ingest.event_time_earliest"), config_));
  }
  for (const char* text :
       {"", "0000-12-31", "1997-02-29", "10000-01-01", "2024-01-01T00:00", "x"}) {
    EXPECT_THAT(Error("ingest.event_time_earliest", text), HasSubstr("is not a date")) << text;
  }
}

TEST_F(ConfigSettingsTest, AFieldIsNamedByItsPath) {
  ASSERT_TRUE(Set("ingest.partition_field", "store,head.land").ok());
  EXPECT_THAT(config_.ingest.partition_field, ElementsAre("store", "head.land"));
  ASSERT_TRUE(Set("ingest.partition_field", "").ok());
  EXPECT_THAT(config_.ingest.partition_field, ElementsAre());
  ASSERT_TRUE(Set("ingest.event_time_field", "payload.ts_ms").ok());
  for (const char* path : {".a", "a.", "a..b", "a b", "a[]"}) {
    EXPECT_THAT(Error("ingest.event_time_field", path), HasSubstr("a.b for a nested one")) << path;
    EXPECT_THAT(Error("ingest.partition_field", path), HasSubstr("a.b for a nested one")) << path;
  }
}

TEST_F(ConfigSettingsTest, AWideDecimalHasAPathAndAType) {
  ASSERT_TRUE(Set("ingest.wide_decimals", "lines.price=decimal,*=double").ok());
  for (const char* item : {"price", "price=float", "=text", "a.=text", "a,*=double"}) {
    EXPECT_FALSE(Set("ingest.wide_decimals", item).ok()) << item;
  }
}

}  // namespace
}  // namespace shopstream
