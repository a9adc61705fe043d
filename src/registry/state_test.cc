#include "registry/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/decisions.h"

namespace shopstream::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string kOrder = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"}]})";
const std::string kOrderWithDefault = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"double","default":0}]})";
const std::string kOrderWithoutDefault = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"double"}]})";

class StateTest : public testing::Test {
 protected:
  Decision Decide(const std::string& subject, const std::string& text) {
    return DecideRegistration(state_, subject, {.text = text});
  }
  // Applies the decision like the server, but without Kafka.
  Decision Do(Decision decision) {
    for (const Record& record : decision.records) Apply(record);
    return decision;
  }
  Decision Register(const std::string& subject, const std::string& text) {
    return Do(Decide(subject, text));
  }
  void Apply(const Record& record) {
    const Status status = state_.Apply(record);
    ASSERT_TRUE(status.ok()) << status;
  }
  static int Code(const Decision& decision) {
    return decision.refusal.has_value() ? decision.refusal->code : 200;
  }
  static SubjectConfig Level(CompatibilityLevel level) {
    SubjectConfig config;
    config.level = level;
    return config;
  }

  State state_;
};

TEST_F(StateTest, FirstSchemaIsVersion1WithId1) {
  const Decision decision = Register("a", kOrder);
  EXPECT_EQ(1, decision.records.size());
  EXPECT_EQ(1, decision.schema.version);
  EXPECT_EQ(1, decision.schema.id);
  EXPECT_THAT(state_.Subjects(), ElementsAre("a"));
}

TEST_F(StateTest, SameSchemaAgainExists) {
  Register("a", kOrder);
  const Decision again = Register("a", R"({"name":"Order","type":"record",
      "fields":[{"type":"string","name":"id"}]})");
  EXPECT_TRUE(again.records.empty());
  EXPECT_EQ(1, again.schema.id);
}

TEST_F(StateTest, OneSchemaHasOneIdInEverySubject) {
  Register("a", kOrder);
  Register("a", kOrderWithDefault);
  const Decision elsewhere = Register("b", kOrderWithDefault);
  EXPECT_EQ(2, elsewhere.schema.id);
  EXPECT_EQ(1, elsewhere.schema.version);
  EXPECT_THAT(state_.UsesOf(2), ElementsAre(Pair("a", 2), Pair("b", 1)));
}

TEST_F(StateTest, IncompatibleSchemaIsRefusedWithReasons) {
  Register("a", kOrder);
  const Decision decision = Register("a", kOrderWithoutDefault);
  EXPECT_EQ(kIncompatibleSchema, Code(decision));
  EXPECT_THAT(decision.refusal->message, HasSubstr("READER_FIELD_MISSING_DEFAULT_VALUE"));
  EXPECT_THAT(state_.Versions("a"), ElementsAre(1));
}

TEST_F(StateTest, LevelOfTheSubjectStandsAboveTheGlobalOne) {
  Register("a", kOrder);
  Apply(ConfigRecord{"a", Level(CompatibilityLevel::kNone)});
  EXPECT_EQ(200, Code(Decide("a", kOrderWithoutDefault)));
  Apply(ConfigRecord{"a", std::nullopt});
  EXPECT_EQ(kIncompatibleSchema, Code(Decide("a", kOrderWithoutDefault)));
  Apply(ConfigRecord{"", Level(CompatibilityLevel::kNone)});
  EXPECT_EQ(200, Code(Decide("a", kOrderWithoutDefault)));
}

TEST_F(StateTest, HiddenVersionsAndTheirIdsAreNotGivenOutAgain) {
  Register("a", kOrder);
  Register("a", kOrderWithDefault);
  EXPECT_THAT(Do(DecideSubjectDeletion(state_, "a", false)).versions, ElementsAre(1, 2));
  EXPECT_FALSE(state_.HasSubject("a"));
  EXPECT_NE(nullptr, state_.FindId(1)) << "records written with it are still to be read";
  const Decision back = Register("a", kOrder);
  EXPECT_EQ(3, back.schema.version);
  EXPECT_EQ(1, back.schema.id);
  EXPECT_EQ(2, state_.last_id());
  EXPECT_THAT(state_.Versions("a", Which::kAll), ElementsAre(2, 3)) << "once, not twice";
}

TEST_F(StateTest, DeletionGoesInTwoSteps) {
  Register("a", kOrder);
  EXPECT_EQ(kVersionNotSoftDeleted, Code(DecideVersionDeletion(state_, "a", 1, true)));
  EXPECT_EQ(kSubjectNotSoftDeleted, Code(DecideSubjectDeletion(state_, "a", true)));
  Do(DecideVersionDeletion(state_, "a", kLatest, false));
  EXPECT_EQ(kVersionSoftDeleted, Code(DecideVersionDeletion(state_, "a", 1, false)));
  EXPECT_EQ(kSubjectSoftDeleted, Code(DecideSubjectDeletion(state_, "a", false)));
  EXPECT_EQ(kVersionNotFound, Code(DecideVersionDeletion(state_, "a", 2, true)));
  EXPECT_EQ(kSubjectNotFound, Code(DecideVersionDeletion(state_, "b", 2, true)));
  Do(DecideVersionDeletion(state_, "a", 1, true));
  EXPECT_EQ(nullptr, state_.FindId(1));
  EXPECT_EQ(kSubjectNotFound, Code(DecideSubjectDeletion(state_, "a", true)));
}

TEST_F(StateTest, AnIdIsNotGivenOutAgainWhenItsSchemaIsGoneForGood) {
  Register("a", kOrder);
  Do(DecideSubjectDeletion(state_, "a", false));
  State after_restart;
  for (const Record& record : DecideSubjectDeletion(state_, "a", true).records) {
    ASSERT_TRUE(after_restart.Apply(record).ok());  // Everything that compaction may leave.
  }
  EXPECT_EQ(2, DecideRegistration(after_restart, "b", {.text = kOrderWithDefault}).schema.id);
}

TEST_F(StateTest, ReferencesResolveAndProtectWhatTheyName) {
  const std::string cart = R"({"type":"record","name":"Cart","fields":[
      {"name":"orders","type":{"type":"array","items":"Order"}}]})";
  const PostedSchema posted{.text = cart, .references = {{"Order", "order", kLatest}}};
  EXPECT_EQ(kInvalidSchema, Code(DecideRegistration(state_, "cart", posted)));
  Register("order", kOrder);
  const Decision made = Do(DecideRegistration(state_, "cart", posted));
  EXPECT_EQ(200, Code(made)) << made.refusal->message;
  EXPECT_EQ(1, made.schema.references.at(0).version) << "the latest is noted by its number";
  EXPECT_EQ(kReferenceExists, Code(DecideVersionDeletion(state_, "order", 1, false)));
  EXPECT_EQ(kReferenceExists, Code(DecideSubjectDeletion(state_, "order", false)));
  Do(DecideSubjectDeletion(state_, "cart", false));
  EXPECT_EQ(200, Code(Do(DecideSubjectDeletion(state_, "order", false))));
  EXPECT_EQ(kReferenceExists, Code(DecideSubjectDeletion(state_, "order", true)));
}

TEST_F(StateTest, ModesSayWhatIsTaken) {
  Register("a", kOrder);
  Apply(ModeRecord{"a", Mode::kReadOnly});
  EXPECT_EQ(200, Code(Decide("a", kOrder))) << "it stands already";
  EXPECT_EQ(kNotPermitted, Code(Decide("a", kOrderWithDefault)));
  EXPECT_EQ(kNotPermitted, Code(DecideSubjectDeletion(state_, "a", false)));
  EXPECT_EQ(kNotPermitted, Code(DecideConfig(state_, "a", Level(CompatibilityLevel::kFull))));
  Apply(ModeRecord{"a", Mode::kReadWrite});
  Apply(ModeRecord{"", Mode::kReadOnlyOverride});
  EXPECT_EQ(kNotPermitted, Code(Decide("a", kOrderWithDefault)));
  Apply(ModeRecord{"", std::nullopt});

  EXPECT_EQ(kNotPermitted, Code(DecideMode(state_, "a", Mode::kImport, false)));
  Do(DecideMode(state_, "b", Mode::kImport, false));
  EXPECT_EQ(kNotPermitted, Code(Decide("b", kOrder)));
  const PostedSchema wanted{.text = kOrderWithDefault, .id = 77, .version = 5};
  EXPECT_EQ(kNotPermitted, Code(DecideRegistration(state_, "a", wanted)));
  const Decision imported = Do(DecideRegistration(state_, "b", wanted));
  EXPECT_EQ(77, imported.schema.id);
  EXPECT_EQ(5, imported.schema.version);
  const PostedSchema other{.text = kOrderWithoutDefault, .id = 77, .version = 6};
  EXPECT_EQ(kNotPermitted, Code(DecideRegistration(state_, "b", other)));
}

TEST_F(StateTest, AllCanBeImportedOnlyIfNoContextHasSubjects) {
  Register(":.lab:a", kOrder);
  EXPECT_EQ(kNotPermitted, Code(DecideMode(state_, "", Mode::kImport, false)));
  Do(DecideSubjectDeletion(state_, ":.lab:a", false));
  EXPECT_EQ(200, Code(Do(DecideMode(state_, "", Mode::kImport, false))));
  EXPECT_FALSE(state_.HasSubject(":.lab:a", Which::kAll));
}

TEST_F(StateTest, TombstoneForgetsTheVersionAndItsId) {
  Register("a", kOrder);
  Apply(SchemaTombstone{"a", 1});
  EXPECT_EQ(nullptr, state_.FindId(1));
  EXPECT_EQ(1, state_.last_id());
}

TEST_F(StateTest, ContextsHaveTheirOwnIdsAndSettings) {
  Register("a", kOrder);
  const Decision there = Register(":.lab:a", kOrderWithDefault);
  EXPECT_EQ(1, there.schema.id);
  EXPECT_EQ(2, there.records.size()) << "the context is announced";
  EXPECT_EQ(1, Register(":.lab:b", kOrderWithDefault).records.size());
  EXPECT_NE(state_.FindId(1)->schema, state_.FindId(1, ".lab")->schema);
  EXPECT_THAT(state_.Contexts(), ElementsAre(".", ".lab"));
  Apply(ConfigRecord{":.lab:", Level(CompatibilityLevel::kNone)});
  Apply(ConfigRecord{"", Level(CompatibilityLevel::kFull)});
  EXPECT_EQ(CompatibilityLevel::kNone, state_.LevelOf(":.lab:a"));
  EXPECT_EQ(CompatibilityLevel::kFull, state_.LevelOf("a"));
  EXPECT_EQ(CompatibilityLevel::kBackward, state_.LevelOf(":.other:a"));
  EXPECT_EQ(kNotPermitted, Code(DecideContextDeletion(state_, ".lab")));
  for (const char* subject : {":.lab:a", ":.lab:b"}) {
    Do(DecideSubjectDeletion(state_, subject, false));
    Do(DecideSubjectDeletion(state_, subject, true));
  }
  EXPECT_EQ(200, Code(Do(DecideContextDeletion(state_, ".lab"))));
  EXPECT_THAT(state_.Contexts(), ElementsAre("."));
  EXPECT_EQ(1, state_.Watermark().last_ids.at(".lab"));
}

TEST_F(StateTest, ReferencesAreOfTheContextOfTheirSchema) {
  const std::string cart = R"({"type":"record","name":"Cart","fields":[
      {"name":"orders","type":{"type":"array","items":"Order"}}]})";
  const PostedSchema posted{.text = cart, .references = {{"Order", "order", 1}}};
  Register("order", kOrder);
  EXPECT_EQ(kInvalidSchema, Code(DecideRegistration(state_, ":.lab:cart", posted)));
  Register(":.lab:order", kOrder);
  EXPECT_EQ(200, Code(Do(DecideRegistration(state_, ":.lab:cart", posted))));
  EXPECT_EQ(kReferenceExists, Code(DecideSubjectDeletion(state_, ":.lab:order", false)));
  EXPECT_EQ(200, Code(DecideSubjectDeletion(state_, "order", false)));
}

// Earlier releases, and imports, may have given one schema several ids.
TEST_F(StateTest, TheLowestIdOfASchemaIsItsId) {
  Apply(SchemaRecord{"a", 1, 7, kOrder});
  Apply(SchemaRecord{"b", 1, 5, kOrder});
  EXPECT_EQ(5, state_.IdOf(IdentityOf({"", 0, 0, kOrder})));
  EXPECT_NE(nullptr, state_.FindId(7));
  Apply(SchemaTombstone{"b", 1});
  EXPECT_EQ(7, state_.IdOf(IdentityOf({"", 0, 0, kOrder})));
}

TEST_F(StateTest, IdWithASecondSchemaIsRefused) {
  Apply(SchemaRecord{"a", 1, 1, kOrder});
  EXPECT_TRUE(state_.Apply(SchemaRecord{"b", 1, 1, kOrderWithDefault}).IsInvalid());
  EXPECT_FALSE(state_.HasSubject("b"));
}

TEST_F(StateTest, OneIdMayHaveSeveralMetadata) {
  SchemaRecord plain{"a", 1, 4, kOrder}, owned{"b", 1, 4, kOrder}, ruled{"c", 1, 4, kOrder};
  owned.metadata = R"({"properties":{"owner":"shop"}})";
  ruled.rule_set = R"({"domainRules":[{"name":"e","type":"ENCRYPT"}]})";
  for (const SchemaRecord& record : {plain, owned, ruled}) Apply(record);
  for (const SchemaRecord& record : {plain, owned, ruled}) {
    EXPECT_EQ(4, state_.IdOf(IdentityOf(record)));
  }
  Apply(SchemaRecord{"d", 1, 4, kOrder});
  Apply(SchemaTombstone{"a", 1});
  EXPECT_EQ(4, state_.IdOf(IdentityOf(plain))) << "d has it";
  Apply(SchemaTombstone{"b", 1});
  EXPECT_EQ(std::nullopt, state_.IdOf(IdentityOf(owned)));
  EXPECT_NE(nullptr, state_.FindId(4));
  EXPECT_TRUE(state_.Apply(SchemaRecord{"e", 1, 4, kOrder, "JSON"}).IsInvalid());
}

TEST_F(StateTest, SchemasOfOtherTypesAreServedButNotBuiltOn) {
  Apply(SchemaRecord{"a", 1, 5, "syntax = \"proto3\";", "PROTOBUF"});
  EXPECT_EQ("PROTOBUF", state_.FindId(5)->type);
  EXPECT_EQ(kIncompatibleSchema, Code(Decide("a", kOrder)));
}

TEST_F(StateTest, TheSameRecordTwiceChangesNothing) {
  const SchemaRecord record{"a", 1, 1, kOrder};
  Apply(record);
  Apply(record);
  EXPECT_THAT(state_.Versions("a"), ElementsAre(1));
  EXPECT_THAT(state_.UsesOf(1), ElementsAre(Pair("a", 1)));
}

}  // namespace
}  // namespace shopstream::registry
