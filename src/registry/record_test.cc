#include "registry/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

using testing::HasSubstr;

template <typename T>
T Parse(const std::string& key, const std::optional<std::string>& value) {
  auto record = ParseRecord(key, value);
  EXPECT_TRUE(record.ok()) << record.status();
  EXPECT_TRUE(record->has_value());
  return std::get<T>(**record);
}

TEST(Record, SchemaIsWrittenAsConfluentWritesIt) {
  const auto written = Serialize(SchemaRecord{"s-value", 2, 7, R"({"type":"int"})"});
  EXPECT_EQ(R"({"keytype":"SCHEMA","subject":"s-value","version":2,"magic":1})", written.key);
  EXPECT_EQ(
      R"({"subject":"s-value","version":2,"id":7,"schema":"{\"type\":\"int\"}","deleted":false})",
      written.value);
}

TEST(Record, ConfigAndModeAreWrittenAsConfluentWritesThem) {
  SubjectConfig config;
  config.level = CompatibilityLevel::kFullTransitive;
  const auto written = Serialize(ConfigRecord{"", config});
  EXPECT_EQ(R"({"keytype":"CONFIG","magic":0})", written.key);
  EXPECT_EQ(R"({"compatibilityLevel":"FULL_TRANSITIVE"})", written.value);
  const auto mode = Serialize(ModeRecord{"s", Mode::kReadOnly});
  EXPECT_EQ(R"({"keytype":"MODE","subject":"s","magic":0})", mode.key);
  EXPECT_EQ(R"({"subject":"s","mode":"READONLY"})", mode.value);
}

TEST(Record, WhatAnOlderReleaseWroteForAllIsTakenBackWithIt) {
  const auto written = SerializeAll({ModeRecord{"", std::nullopt}});
  ASSERT_EQ(2, written.size());
  EXPECT_EQ(R"({"keytype":"MODE","subject":null,"magic":0})", written[0].key);
  EXPECT_FALSE(written[0].value.has_value());
  EXPECT_EQ(R"({"keytype":"MODE","magic":0})", written[1].key);
}

TEST(Record, ConfigOfAnotherRegistryIsKept) {
  const std::string key = R"({"keytype":"CONFIG","subject":"s","magic":0})";
  const std::string value =
      R"({"subject":"s","normalize":true,"validateFields":false,"compatibilityLevel":"NONE",)"
      R"("defaultMetadata":{"properties":{"a":"1"}},"setByANewerRelease":{"x":1}})";
  const auto read = Parse<ConfigRecord>(key, value);
  EXPECT_EQ(CompatibilityLevel::kNone, read.config->level);
  EXPECT_EQ(true, read.config->normalize);
  EXPECT_EQ(false, read.config->validate_fields);
  EXPECT_TRUE(read.config->changes_schemas());
  EXPECT_EQ(value, Serialize(read).value);
}

TEST(Record, ReferencesAreReadBack) {
  SchemaRecord record{"s", 2, 7, "\"int\""};
  record.references = {{"com.shop.Item", "item", 3}};
  record.metadata = R"({"properties":{"owner":"shop"}})";
  const auto written = Serialize(record);
  const auto read = Parse<SchemaRecord>(written.key, written.value);
  EXPECT_EQ(record.references, read.references);
  EXPECT_EQ(record.metadata, read.metadata);
}

TEST(Record, TheGreatestIdOutlivesItsSchema) {
  const IdWatermark watermark{{{".", 9}, {".lab", 3}}};
  const auto written = Serialize(watermark);
  EXPECT_EQ(R"({"lastId":9,"contexts":{".lab":3}})", written.value);
  EXPECT_EQ(watermark.last_ids, Parse<IdWatermark>(written.key, written.value).last_ids);
  EXPECT_EQ(9, Parse<IdWatermark>(written.key, R"({"lastId":9})").last_ids.at("."));
}

TEST(Record, AContextIsAnnounced) {
  const auto written = Serialize(ContextRecord{".lab"});
  EXPECT_EQ(R"({"keytype":"CONTEXT","tenant":"default","context":".lab","magic":0})", written.key);
  EXPECT_EQ(R"({"tenant":"default","context":".lab"})", written.value);
  EXPECT_EQ(".lab", Parse<ContextRecord>(written.key, written.value).context);
  EXPECT_TRUE(Parse<ContextRecord>(written.key, std::nullopt).removed);
}

TEST(Record, SchemaIsReadBack) {
  const auto written = Serialize(SchemaRecord{"s", 2, 7, "\"int\"", "AVRO", true});
  const auto read = Parse<SchemaRecord>(written.key, written.value);
  EXPECT_EQ("s", read.subject);
  EXPECT_EQ(2, read.version);
  EXPECT_EQ(7, read.id);
  EXPECT_EQ("\"int\"", read.schema);
  EXPECT_TRUE(read.deleted);
}

TEST(Record, NewerConfluentFieldsAreLookedOver) {
  const auto read = Parse<SchemaRecord>(
      R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
      R"({"subject":"s","version":1,"id":3,"md5":"x","schema":"{}","schemaType":"PROTOBUF",)"
      R"("deleted":false,"ts":1})");
  EXPECT_EQ(3, read.id);
  EXPECT_EQ("PROTOBUF", read.type);
}

TEST(Record, NullValueIsATombstone) {
  const auto read = Parse<SchemaTombstone>(
      R"({"keytype":"SCHEMA","subject":"s","version":4,"magic":1})", std::nullopt);
  EXPECT_EQ(4, read.version);
}

TEST(Record, SubjectDeletionIsRead) {
  const auto read = Parse<SubjectDeletion>(
      R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0})", R"({"subject":"s","version":2})");
  EXPECT_EQ(2, read.up_to_version);
}

TEST(Record, OthersHaveNoMeaning) {
  for (const char* key : {R"({"keytype":"NOOP","magic":0})", R"({"keytype":"ASSOCIATION","x":"x"})",
                          "not JSON", "7", "", "{}"}) {
    auto record = ParseRecord(key, "{}");
    ASSERT_TRUE(record.ok()) << record.status();
    EXPECT_FALSE(record->has_value()) << key;
  }
}

TEST(Record, SchemaThatCannotBeUnderstoodIsAnError) {
  const std::string key = R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})";
  for (const char* value : {"{", R"({"id":0,"schema":"{}"})", R"({"id":"1","schema":"{}"})",
                            R"({"id":1})", R"({"id":99999999999,"schema":"{}"})", "[]"}) {
    EXPECT_TRUE(ParseRecord(key, value).status().IsInvalid()) << value;
  }
  EXPECT_THAT(ParseRecord(key, "{").status().message(), HasSubstr("\"subject\":\"s\""));
}

}  // namespace
}  // namespace shopstream::registry
