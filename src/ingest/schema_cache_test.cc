#include "ingest/schema_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingest/testing.h"

namespace shopstream::ingest {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The event's schema with an id of this type, followed by further fields.
std::string EventWith(const std::string& id_type, const std::string& more = "") {
  return R"({"type": "record", "name": "E", "fields": [{"name": "region", "type": "string"},
      {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
      {"name": "id", "type": ")" +
         id_type + R"("})" + more + "]}";
}

const std::string kReader = EventWith("long");
const std::string kWiderWriter = EventWith("int", R"(, {"name": "x", "type": "string"})");
const std::string kUnreadable = EventWith("string");

std::shared_ptr<const BronzeLayout> LayoutOf(const std::string& schema) {
  return std::make_shared<const BronzeLayout>(
      *BronzeLayout::Make(*avro::Schema::Parse(schema), {}));
}

class SchemaCacheTest : public ::testing::Test {
 protected:
  bool Resolve(std::vector<int32_t> ids) { return (last_ = cache_.Resolve(ids, now_)).resolved; }
  const KnownSchema* Find(int32_t id) { return cache_.Find(id, now_); }

  testing::ListedRegistry registry_;
  BootClock::time_point now_{seconds{1000}};
  ResolveOutcome last_;
  SchemaCache cache_{LayoutOf(kReader), [this](int32_t id) { return registry_.Answer(id); }};
};

TEST_F(SchemaCacheTest, AFoundIdIsAskedForOnce) {
  registry_.schemas[1] = kWiderWriter;
  EXPECT_EQ(Find(1), nullptr);
  EXPECT_TRUE(Resolve({1}));
  now_ += minutes{60};
  ASSERT_NE(Find(1), nullptr);
  EXPECT_TRUE(Find(1)->decoder);
  EXPECT_TRUE(Resolve({1}));
  EXPECT_EQ(registry_.asked, std::vector<int32_t>({1}));
}

TEST_F(SchemaCacheTest, AnUnknownIdIsConfirmedTwoSecondsLaterAndThenRemembered) {
  EXPECT_FALSE(Resolve({7}));
  EXPECT_FALSE(last_.outage);
  EXPECT_EQ(last_.ask_again_at, now_ + seconds{2});
  now_ += Millis{1999};
  EXPECT_FALSE(Resolve({7}));
  EXPECT_EQ(registry_.asked.size(), 1u) << "asked again before its time";
  now_ += Millis{1};
  EXPECT_TRUE(Resolve({7}));
  ASSERT_NE(Find(7), nullptr);
  EXPECT_FALSE(Find(7)->decoder);
  EXPECT_EQ(Find(7)->cause, Cause::kUnknownSchema);
  now_ += minutes{10} - Millis{1};
  EXPECT_NE(Find(7), nullptr);
  now_ += Millis{1};
  EXPECT_EQ(Find(7), nullptr) << "must ask anew";
}

TEST_F(SchemaCacheTest, ManyNewIdsWaitForOneConfirmation) {
  EXPECT_FALSE(Resolve({7, 8, 9}));
  now_ += seconds{2};
  EXPECT_TRUE(Resolve({7, 8, 9}));
  EXPECT_EQ(registry_.asked.size(), 6u);
}

TEST_F(SchemaCacheTest, AnIdThatTurnsUpAtTheSecondQuestionIsNoBadRecord) {
  EXPECT_FALSE(Resolve({7}));
  registry_.schemas[7] = kReader;
  now_ += seconds{2};
  EXPECT_TRUE(Resolve({7}));
  EXPECT_TRUE(Find(7)->decoder);
}

TEST_F(SchemaCacheTest, AnOutageIsNoVerdict) {
  registry_.out = true;
  EXPECT_FALSE(Resolve({7, 8}));
  EXPECT_EQ(last_.outage, "connection refused");
  EXPECT_EQ(registry_.asked.size(), 1u) << "the next id would wait for the same time-out";
  EXPECT_EQ(Find(7), nullptr);
  now_ += seconds{5};
  EXPECT_FALSE(Resolve({7}));
  registry_.out = false;
  EXPECT_FALSE(Resolve({7})) << "the first denial; an outage before it confirms nothing";
}

TEST_F(SchemaCacheTest, WhatTheReaderCannotReadIsAVerdict) {
  registry_.schemas[3] = kUnreadable;
  registry_.schemas[4] = "not a schema";
  EXPECT_TRUE(Resolve({3, 4}));
  EXPECT_EQ(Find(3)->cause, Cause::kIncompatibleSchema);
  EXPECT_EQ(Find(4)->cause, Cause::kIncompatibleSchema);
  EXPECT_FALSE(Find(3)->detail.empty());
}

TEST_F(SchemaCacheTest, ANewFieldGrowsTheLayoutAndEveryDecoderFollows) {
  registry_.schemas = {{1, kReader}, {2, kWiderWriter}};
  const auto before = cache_.layout();
  EXPECT_TRUE(Resolve({1}));
  EXPECT_EQ(cache_.layout(), before) << "grew for a schema that has nothing new";
  EXPECT_TRUE(Resolve({2}));
  EXPECT_EQ(cache_.layout()->record->GetFieldIndex("x"), 3);
  EXPECT_EQ(Find(1), nullptr) << "its decoder fills the columns of before";
  EXPECT_TRUE(Resolve({1}));
  EXPECT_NE(Find(1), nullptr);
  EXPECT_EQ(registry_.asked, std::vector<int32_t>({1, 2})) << "asked the registry for what it knew";
}

TEST_F(SchemaCacheTest, IdsResolvedTogetherAreCurrentTogether) {
  registry_.schemas = {{1, kReader}, {2, kWiderWriter}};
  EXPECT_TRUE(Resolve({1, 2}));
  EXPECT_NE(Find(1), nullptr);
  EXPECT_NE(Find(2), nullptr);
}

TEST_F(SchemaCacheTest, AnothersFieldIsAdoptedBesideOurOwn) {
  registry_.schemas = {{1, kWiderWriter}};
  EXPECT_TRUE(Resolve({1}));
  const std::string theirs = EventWith("long", R"(, {"name": "y", "type": "string"})");
  EXPECT_TRUE(cache_.Adopt(*avro::Schema::Parse(theirs)).ok());
  EXPECT_EQ(cache_.layout()->record->field_names(),
            std::vector<std::string>({"region", "timestamp", "id", "y", "x"}));
}

TEST_F(SchemaCacheTest, AFieldOfAnotherTypeIsNotAdoptedAndAfterAResetItIsRefused) {
  registry_.schemas = {{1, kWiderWriter}};
  EXPECT_TRUE(Resolve({1}));
  const std::string theirs = EventWith("long", R"(, {"name": "x", "type": "boolean"})");
  EXPECT_FALSE(cache_.Adopt(*avro::Schema::Parse(theirs)).ok());
  EXPECT_NE(Find(1), nullptr);
  cache_.Reset(LayoutOf(theirs));
  EXPECT_TRUE(Resolve({1}));
  ASSERT_NE(Find(1), nullptr);
  EXPECT_EQ(Find(1)->cause, Cause::kIncompatibleSchema);
  EXPECT_NE(Find(1)->detail.find("TYPE_MISMATCH at /fields/3/type"), std::string::npos)
      << Find(1)->detail;
}

}  // namespace
}  // namespace shopstream::ingest
