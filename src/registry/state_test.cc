#include "registry/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/canonical.h"

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
    return DecideRegistration(state_, subject, *avro::Schema::Parse(text), *CanonicalText(text));
  }
  // As the server does it, without Kafka.
  Decision Register(const std::string& subject, const std::string& text) {
    Decision decision = Decide(subject, text);
    if (decision.outcome == Decision::Outcome::kNew) Apply(decision.record);
    return decision;
  }
  void Apply(const Record& record) {
    const Status status = state_.Apply(record);
    ASSERT_TRUE(status.ok()) << status;
  }

  State state_;
};

TEST_F(StateTest, FirstSchemaIsVersion1WithId1) {
  const Decision decision = Register("a", kOrder);
  EXPECT_EQ(Decision::Outcome::kNew, decision.outcome);
  EXPECT_EQ(1, decision.record.version);
  EXPECT_EQ(1, decision.record.id);
  EXPECT_THAT(state_.Subjects(), ElementsAre("a"));
}

TEST_F(StateTest, SameSchemaAgainExists) {
  Register("a", kOrder);
  const Decision again = Register("a", R"({"name":"Order","type":"record",
      "fields":[{"type":"string","name":"id"}]})");
  EXPECT_EQ(Decision::Outcome::kExists, again.outcome);
  EXPECT_EQ(1, again.record.id);
}

TEST_F(StateTest, OneSchemaHasOneIdInEverySubject) {
  Register("a", kOrder);
  Register("a", kOrderWithDefault);
  const Decision elsewhere = Register("b", kOrderWithDefault);
  EXPECT_EQ(2, elsewhere.record.id);
  EXPECT_EQ(1, elsewhere.record.version);
  EXPECT_THAT(state_.UsesOf(2), ElementsAre(Pair("a", 2), Pair("b", 1)));
}

TEST_F(StateTest, IncompatibleSchemaIsRefusedWithReasons) {
  Register("a", kOrder);
  const Decision decision = Register("a", kOrderWithoutDefault);
  EXPECT_EQ(Decision::Outcome::kIncompatible, decision.outcome);
  EXPECT_THAT(decision.reasons, ElementsAre(HasSubstr("READER_FIELD_MISSING_DEFAULT_VALUE")));
  EXPECT_THAT(state_.Versions("a"), ElementsAre(1));
}

TEST_F(StateTest, LevelOfTheSubjectStandsAboveTheGlobalOne) {
  Register("a", kOrder);
  Apply(LevelRecord{"a", CompatibilityLevel::kNone});
  EXPECT_EQ(Decision::Outcome::kNew, Decide("a", kOrderWithoutDefault).outcome);
  Apply(LevelRecord{"a", std::nullopt});
  EXPECT_EQ(Decision::Outcome::kIncompatible, Decide("a", kOrderWithoutDefault).outcome);
  Apply(LevelRecord{"", CompatibilityLevel::kNone});
  EXPECT_EQ(Decision::Outcome::kNew, Decide("a", kOrderWithoutDefault).outcome);
}

TEST_F(StateTest, DeletedVersionsAndTheirIdsAreNotGivenOutAgain) {
  Register("a", kOrder);
  Register("a", kOrderWithDefault);
  Apply(SubjectDeletion{"a", 2, false});
  EXPECT_FALSE(state_.HasSubject("a"));
  EXPECT_NE(nullptr, state_.FindId(1)) << "records written with it are still to be read";
  const Decision back = Register("a", kOrder);
  EXPECT_EQ(Decision::Outcome::kNew, back.outcome);
  EXPECT_EQ(3, back.record.version);
  EXPECT_EQ(1, back.record.id);
  EXPECT_EQ(3, state_.NextId());
}

TEST_F(StateTest, TombstoneForgetsTheVersionAndItsId) {
  Register("a", kOrder);
  Apply(SchemaTombstone{"a", 1});
  EXPECT_EQ(nullptr, state_.FindId(1));
  EXPECT_EQ(2, state_.NextId());
}

TEST_F(StateTest, IdWithASecondSchemaIsRefused) {
  Apply(SchemaRecord{"a", 1, 1, kOrder});
  EXPECT_TRUE(state_.Apply(SchemaRecord{"b", 1, 1, kOrderWithDefault}).IsInvalid());
  EXPECT_FALSE(state_.HasSubject("b"));
}

TEST_F(StateTest, SchemasOfOtherTypesAreServedButNotBuiltOn) {
  Apply(SchemaRecord{"a", 1, 5, "syntax = \"proto3\";", "PROTOBUF"});
  EXPECT_EQ("PROTOBUF", state_.FindId(5)->type);
  EXPECT_EQ(Decision::Outcome::kIncompatible, Decide("a", kOrder).outcome);
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
