#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/decisions.h"
#include "registry/metadata.h"

namespace shopstream::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string OrderWith(const std::string& fields) {
  return R"({"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"})" +
         fields + "]}";
}
const std::string kOrder = OrderWith("");
const std::string kWithNote = OrderWith(R"(,{"name":"note","type":"string","default":""})");
const std::string kRules = R"({"domainRules":[{"name":"e","type":"ENCRYPT"}]})";

// Registrations as Confluent's registry, release 7.9, makes them.
class RegistrationTest : public testing::Test {
 protected:
  Decision Register(const PostedSchema& posted, const std::string& subject = "s") {
    Decision decision = DecideRegistration(state_, subject, posted);
    for (const Record& record : decision.records) Apply(record);
    return decision;
  }
  void Apply(const Record& record) {
    const Status status = state_.Apply(record);
    ASSERT_TRUE(status.ok()) << status;
  }
  static int Code(const Decision& decision) {
    return decision.refusal.has_value() ? decision.refusal->code : 200;
  }
  void Configure(const std::string& subject, const SubjectConfig& config) {
    Apply(ConfigRecord{subject, config});
  }

  State state_;
};

TEST_F(RegistrationTest, MetadataAndRulesAreInherited) {
  const std::string metadata = R"({"properties":{"owner":"shop"}})";
  Register({.text = kOrder, .metadata = metadata, .rule_set = kRules});
  EXPECT_EQ(1, Register({.text = kOrder}).schema.id) << "the same schema";
  const Decision next = Register({.text = kWithNote});
  EXPECT_TRUE(next.was_changed);
  EXPECT_EQ(metadata, next.schema.metadata);
  EXPECT_EQ(kRules, next.schema.rule_set);
  // A deleted version passes on nothing.
  Register({.text = kOrder}, "other");
  for (const int version : {1, 2}) Apply(SubjectDeletion{"s", version});
  EXPECT_EQ("", Register({.text = kOrder}).schema.metadata);
}

TEST_F(RegistrationTest, RulesAloneTakeTheLatestText) {
  EXPECT_THAT(Register({.text = " ", .rule_set = kRules}).refusal->message,
              HasSubstr("Empty schema"));
  Register({.text = kOrder});
  const Decision made = Register({.text = "", .rule_set = kRules});
  EXPECT_EQ(2, made.schema.version);
  EXPECT_EQ(kOrder, made.schema.schema);
  EXPECT_EQ(kRules, made.schema.rule_set);
}

TEST_F(RegistrationTest, ConfigAddsMetadataBelowAndAbove) {
  SubjectConfig config;
  config.default_metadata = R"({"properties":{"a":"default","b":"default"}})";
  config.override_metadata = R"({"properties":{"c":"override"}})";
  config.default_rule_set = kRules;
  Configure("s", config);
  const Decision made =
      Register({.text = kOrder, .metadata = R"({"properties":{"b":"own","c":"own"}})"});
  EXPECT_EQ("default", PropertyOf(made.schema.metadata, "a"));
  EXPECT_EQ("own", PropertyOf(made.schema.metadata, "b"));
  EXPECT_EQ("override", PropertyOf(made.schema.metadata, "c"));
  EXPECT_EQ(kRules, made.schema.rule_set);
}

TEST_F(RegistrationTest, ALatestVersionIsNoted) {
  Register({.text = kOrder});
  const Decision noted = Register({.text = kOrder, .version = kLatest});
  EXPECT_EQ(2, noted.schema.version);
  EXPECT_EQ("2", PropertyOf(noted.schema.metadata, kVersionProperty));
  EXPECT_EQ(2, Register({.text = kOrder, .version = kLatest}).schema.version);
  EXPECT_EQ(2, state_.Latest("s")->version);
  EXPECT_THAT(Register({.text = kWithNote, .version = 7}).refusal->message,
              HasSubstr("version 7 is not one more than previous version"));
}

TEST_F(RegistrationTest, InlinedReferencesAreThoseOfTheReferringVersion) {
  Register({.text = kOrder}, "order");
  const std::string cart = R"({"type":"record","name":"Cart","fields":[{"name":"o","type":)";
  const PostedSchema referring{.text = cart + R"("shop.Order"}]})",
                               .references = {{"shop.Order", "order", 1}}};
  const Decision made = Register(referring);
  EXPECT_EQ(made.schema.id, Register({.text = cart + kOrder + "}]}"}).schema.id);
  EXPECT_THAT(state_.Versions("s"), ElementsAre(1));
}

TEST_F(RegistrationTest, OnlyNewSchemasNeedLiveReferences) {
  Register({.text = kOrder}, "order");
  const PostedSchema referring{
      .text = R"({"type":"record","name":"Cart","fields":[{"name":"o","type":"shop.Order"}]})",
      .references = {{"shop.Order", "order", 1}}};
  const Decision made = Register(referring);
  Apply(SubjectDeletion{"order", 1});
  EXPECT_EQ(made.schema.id, Register(referring).schema.id);
  EXPECT_EQ(kInvalidSchema, Code(Register(referring, "new")));
  Apply(ModeRecord{"import", Mode::kImport});
  PostedSchema imported = referring;
  imported.id = made.schema.id;
  imported.version = 1;
  EXPECT_EQ(200, Code(Register(imported, "import")));
}

TEST_F(RegistrationTest, NormalizingSortsReferencesAndChecksDefaults) {
  Register({.text = kOrder}, "order");
  Register({.text = R"({"type":"enum","name":"E","symbols":["A"]})"}, "e");
  const std::string text = R"(["E","shop.Order"])";
  const SchemaReference order{"shop.Order", "order", 1}, e{"E", "e", 1};
  const Decision one = Register({.text = text, .references = {order, e, order}, .normalize = true});
  EXPECT_THAT(one.schema.references, ElementsAre(e, order));
  EXPECT_EQ(one.schema.id,
            Register({.text = text, .references = {e, order}, .normalize = true}).schema.id);
  const std::string bad = OrderWith(R"(,{"name":"n","type":"int","default":"x"})");
  EXPECT_EQ(kInvalidSchema, Code(Register({.text = bad, .normalize = true}, "bad")));
  EXPECT_EQ(200, Code(Register({.text = bad}, "bad")));
}

TEST_F(RegistrationTest, WhatIsStoredCanBeReadAgain) {
  const auto chain = [](int length) {
    std::string types = R"({"type":"record","name":"T0","fields":[]})";
    for (int i = 1; i <= length; ++i) {
      types += R"(,{"type":"record","name":"T)" + std::to_string(i) +
               R"(","fields":[{"name":"f","type":")" +
               (i == length ? "int" : "T" + std::to_string(i + 1)) + R"("}]})";
    }
    return OrderWith(R"(,{"name":"a","type":"T1"},{"name":"b","type":[)" + types + R"(]})");
  };
  EXPECT_EQ(kInvalidSchema, Code(Register({.text = chain(600)})));
  EXPECT_EQ(kInvalidSchema, Code(Register({.text = chain(15'000)})));
  EXPECT_EQ(200, Code(Register({.text = chain(200)})));
  EXPECT_EQ(200, Code(Register({.text = kOrder}))) << "comparable with the version before";
  // A look-up of what may have been registered without normalizing does not check its defaults.
  const std::string bad = OrderWith(R"(,{"name":"n","type":"int","default":"x"})");
  Register({.text = bad}, "bad");
  EXPECT_EQ(200, Code(DecideRegistration(state_, "bad", {.text = bad, .normalize = true})));
}

TEST_F(RegistrationTest, TheSpellingOfANumberMakesNoOtherSchema) {
  const auto with = [](const std::string& number) {
    return OrderWith(R"(,{"name":"n","type":"double","default":)" + number + "}");
  };
  Apply(SchemaRecord{"s", 1, 7, with("0.1")});  // As an earlier release stored 0.10.
  EXPECT_EQ(7, Register({.text = with("0.10")}).schema.id);
  EXPECT_EQ(7, Register({.text = with("1e-1")}, "other").schema.id);
  EXPECT_EQ(8, Register({.text = with("1.50")}, "new").schema.id);
  EXPECT_EQ(with("1.50"), state_.FindId(8)->schema) << "stored as it is written";
  EXPECT_EQ(9, Register({.text = with("1")}, "int").schema.id);
  EXPECT_EQ(10, Register({.text = with("1.0")}, "double").schema.id);
}

TEST_F(RegistrationTest, OnlyTheSameGroupIsCompared) {
  SubjectConfig config;
  config.compatibility_group = "major";
  Configure("s", config);
  const auto group = [](const char* number) {
    return R"({"properties":{"major":")" + std::string(number) + "\"}}";
  };
  const std::string other = OrderWith(R"(,{"name":"n","type":"int"})");
  Register({.text = kOrder, .metadata = group("1")});
  EXPECT_EQ(kIncompatibleSchema, Code(Register({.text = other}))) << "it inherits group 1";
  EXPECT_EQ(200, Code(Register({.text = other, .metadata = group("2")})));
}

TEST_F(RegistrationTest, ReservedFieldsStayReserved) {
  SubjectConfig config;
  config.validate_fields = true;
  Configure("s", config);
  const auto reserving = [](const char* names) {
    return R"({"properties":{"confluent:reserved":")" + std::string(names) + "\"}}";
  };
  Register({.text = kOrder, .metadata = reserving("note,other")});
  EXPECT_THAT(Register({.text = kWithNote}).refusal->message,
              HasSubstr("FIELD_CONFLICTS_WITH_RESERVED_FIELD"));
  const Decision removed = Register({.text = kWithNote, .metadata = reserving("other")});
  EXPECT_EQ(kIncompatibleSchema, Code(removed));
  EXPECT_THAT(removed.refusal->message, HasSubstr("RESERVED_FIELD_REMOVED"));
  EXPECT_THAT(removed.refusal->message, HasSubstr("{validateFields: 'true', compatibility"));
}

TEST_F(RegistrationTest, AnExistingVersionIsAnsweredInEveryMode) {
  Register({.text = kOrder});
  Apply(ModeRecord{"s", Mode::kReadOnly});
  EXPECT_EQ(1, Register({.text = kOrder}).schema.id);
  EXPECT_EQ(1, Register({.text = kOrder, .id = 1, .version = 1}).schema.version);
  EXPECT_EQ(kNotPermitted, Code(Register({.text = kOrder, .id = 2, .version = 1})));
  EXPECT_EQ(kNotPermitted, Code(Register({.text = kWithNote})));
}

TEST_F(RegistrationTest, AnImportTakesWhatIsGiven) {
  Register({.text = kOrder, .metadata = R"({"properties":{"a":"1"}})"});
  Apply(ModeRecord{"s", Mode::kImport});
  const std::string bad = OrderWith(R"(,{"name":"n","type":"int","default":"x"})");
  const Decision imported = Register({.text = bad, .id = 9, .version = 5});
  EXPECT_EQ(200, Code(imported));
  EXPECT_EQ("", imported.schema.metadata) << "nothing is inherited";
  EXPECT_EQ(200, Code(Register({.text = bad, .id = 10, .version = 6}))) << "under another id too";
  EXPECT_EQ(kNotPermitted, Code(Register({.text = kWithNote, .id = 9, .version = 7})));
}

TEST_F(RegistrationTest, OtherTypesAreKeptAsTheyAre) {
  const std::string proto = "syntax = \"proto3\";\n message R {}";
  const Decision made = Register({.text = proto, .type = "PROTOBUF"});
  EXPECT_EQ(proto, made.schema.schema);
  EXPECT_EQ(1, Register({.text = proto, .type = "PROTOBUF"}).schema.version);
  EXPECT_EQ(2, Register({.text = "message S {}", .type = "PROTOBUF"}).schema.version);
  EXPECT_EQ(kIncompatibleSchema, Code(Register({.text = kOrder})));
  const PostedSchema missing{
      .text = proto, .references = {{"a.proto", "a", 1}}, .type = "PROTOBUF"};
  EXPECT_EQ(kInvalidSchema, Code(Register(missing, "t")));
}

TEST_F(RegistrationTest, DeletingASubjectRemovesItsSettings) {
  for (const bool whole : {true, false}) {
    Register({.text = kOrder});
    Configure("s", {});
    Apply(ModeRecord{"s", Mode::kReadWrite});
    const Decision deleted = whole ? DecideSubjectDeletion(state_, "s", false)
                                   : DecideVersionDeletion(state_, "s", kLatest, false);
    for (const Record& record : deleted.records) Apply(record);
    EXPECT_EQ(nullptr, state_.Config("s"));
    EXPECT_FALSE(state_.OwnMode("s").has_value());
  }
}

}  // namespace
}  // namespace shopstream::registry
