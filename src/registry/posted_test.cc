#include "registry/posted.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "avro/schema.h"

namespace shopstream::registry {
namespace {

template <typename Posted>
RestError ErrorOf(const Posted& posted) {
  const auto* error = std::get_if<RestError>(&posted);
  return error == nullptr ? RestError{200, ""} : *error;
}

TEST(PostedTest, ASchemaWithAllItsFields) {
  const auto posted = std::get<PostedSchema>(ParsePostedSchema(R"({"schema": "\"int\"",
      "schemaType": "AVRO", "references": [{"name": "a.T", "subject": "t", "version": -1}],
      "metadata": {"properties": {"major": "1"}}, "ruleSet": {}, "id": 7, "version": 3})"));
  EXPECT_EQ("\"int\"", posted.text);
  ASSERT_EQ(1u, posted.references.size());
  EXPECT_EQ((SchemaReference{"a.T", "t", kLatest}), posted.references[0]);
  EXPECT_EQ(R"({"properties":{"major":"1"}})", posted.metadata);
  EXPECT_EQ("{}", posted.rule_set);
  EXPECT_EQ(7, posted.id);
  EXPECT_EQ(3, posted.version);
}

TEST(PostedTest, WhatIsNoSchemaIsRefused) {
  EXPECT_EQ(kBadRequest, ErrorOf(ParsePostedSchema("[]")).code);
  EXPECT_EQ(kBadRequest, ErrorOf(ParsePostedSchema("{")).code);
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  EXPECT_EQ(kBadRequest, ErrorOf(ParsePostedSchema(R"({"schema": )" + deep + "}")).code);
  EXPECT_EQ(kInvalidSchema, ErrorOf(ParsePostedSchema(R"({"schema": {}})")).code);
  EXPECT_EQ(kInvalidSchema,
            ErrorOf(ParsePostedSchema(R"({"schema": "", "schemaType": "THRIFT"})")).code);
  EXPECT_EQ(kInvalidSchema,
            ErrorOf(ParsePostedSchema(R"({"schema": "", "references": [{"name": "a"}]})")).code);
  EXPECT_EQ(kUnprocessable, ErrorOf(ParsePostedSchema(R"({"schema": "", "id": 2147483648})")).code);
  const std::string large(avro::Schema::kMaxText + 1, 'x');
  EXPECT_EQ(kSchemaTooLarge, ErrorOf(ParsePostedSchema(R"({"schema": ")" + large + "\"}")).code);
}

TEST(PostedTest, OnlyWhatIsGivenIsRead) {
  const auto posted = std::get<PostedSchema>(ParsePostedSchema("{}"));
  EXPECT_EQ("", posted.text);
  EXPECT_EQ("AVRO", posted.type);
  EXPECT_EQ("PROTOBUF",
            std::get<PostedSchema>(
                ParsePostedSchema(R"({"schema": "message R {}", "schemaType": "PROTOBUF"})"))
                .type);
  EXPECT_EQ(kInvalidRules, ErrorOf(ParsePostedSchema(R"({"schema": "", "ruleSet": {"domainRules":
      [{"name": "a"}]}})"))
                               .code);
}

TEST(PostedTest, AConfigChangesTheGivenFieldsAlone) {
  SubjectConfig before;
  before.level = CompatibilityLevel::kFull;
  before.normalize = true;
  const auto posted = std::get<PostedConfig>(ParsePostedConfig(
      R"({"compatibility": "none", "normalize": null, "alias": "a", "overrideMetadata": {}})"));
  EXPECT_EQ((nlohmann::json{{"compatibility", "none"},
                            {"alias", "a"},
                            {"overrideMetadata", nlohmann::json::object()}}),
            posted.given);
  const SubjectConfig changed = Updated(before, posted.config);
  EXPECT_EQ(CompatibilityLevel::kNone, changed.level);
  EXPECT_EQ(true, changed.normalize);
  EXPECT_EQ("a", changed.alias);
  EXPECT_EQ("{}", changed.override_metadata);
}

TEST(PostedTest, AConfigThatIsNotValidIsRefused) {
  EXPECT_EQ(kInvalidLevel, ErrorOf(ParsePostedConfig(R"({"compatibility": "ALL"})")).code);
  EXPECT_EQ(kInvalidLevel, ErrorOf(ParsePostedConfig(R"({"compatibility": 1})")).code);
  EXPECT_EQ(kUnprocessable, ErrorOf(ParsePostedConfig(R"({"normalize": 1})")).code);
  EXPECT_EQ(kUnprocessable, ErrorOf(ParsePostedConfig(R"({"alias": 1})")).code);
  EXPECT_EQ(kUnprocessable, ErrorOf(ParsePostedConfig(R"({"defaultMetadata": 1})")).code);
  EXPECT_EQ(kInvalidRules,
            ErrorOf(ParsePostedConfig(R"({"defaultRuleSet": {"domainRules": [{}]}})")).code);
  EXPECT_EQ(200, ErrorOf(ParsePostedConfig(R"({"validateFields": true})")).code);
}

TEST(PostedTest, MetadataAndRulesHaveTheirShape) {
  const auto posted = std::get<PostedSchema>(ParsePostedSchema(
      R"({"metadata": {"sensitive": ["b", "a", "b"], "properties": {"n": 1}, "x": {}},
          "ruleSet": {"domainRules": [{"name": "r", "type": "T", "tags": ["b", "a"]}]}})"));
  EXPECT_EQ(R"({"sensitive":["a","b"],"properties":{"n":"1"}})", posted.metadata);
  EXPECT_EQ(R"({"domainRules":[{"name":"r","type":"T","tags":["a","b"],"kind":"TRANSFORM",)"
            R"("mode":"WRITEREAD"}]})",
            posted.rule_set);
  for (const char* wrong : {R"({"metadata": {"properties": {"a": {"b": 1}}}})",
                            R"({"metadata": {"properties": ["a"]}})", R"({"metadata": "x"})",
                            R"({"ruleSet": {"domainRules": {}}})",
                            R"({"ruleSet": {"domainRules": [{"name": "a", "type": "T",
                                "kind": "FOO"}]}})"}) {
    EXPECT_EQ(kUnprocessable, ErrorOf(ParsePostedSchema(wrong)).code) << wrong;
  }
  EXPECT_EQ(kUnprocessable,
            ErrorOf(ParsePostedConfig(R"({"defaultMetadata": {"tags": ["a"]}})")).code);
  EXPECT_EQ(kUnprocessable,
            ErrorOf(ParsePostedConfig(R"({"overrideRuleSet": {"domainRules": [7]}})")).code);
}

TEST(PostedTest, AModeIsNamedOrReset) {
  EXPECT_EQ(Mode::kReadOnly, std::get<0>(ParsePostedMode(R"({"mode": "readonly"})")));
  EXPECT_EQ(std::nullopt, std::get<0>(ParsePostedMode(R"({"mode": null})")));
  EXPECT_EQ(kInvalidMode, ErrorOf(ParsePostedMode(R"({"mode": "OPEN"})")).code);
}

}  // namespace
}  // namespace shopstream::registry
