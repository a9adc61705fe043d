#include "ingest/intake.h"

#include <arrow/array/array_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/testing.h"
#include "ingest/testing.h"
#include "simulate/memory_store.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

using Taken = Intake::Taken;
using ::testing::ElementsAre;
using testing::Event;
using testing::kOct24;

constexpr int32_t kNobodysId = 99;

// An intake with a scripted registry and a clock that only the test advances.
class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    clock_.now = BootClock::time_point(std::chrono::hours(1));
    bronze_ = *lake::Table::OpenOrCreate(&store_, layout_->table);
  }

  Taken Take(std::optional<std::string> value) {
    const auto taken = intake_.Take(records_.Make(0, next_offset_, std::move(value)), clock_.now);
    EXPECT_TRUE(taken.ok()) << taken.status();
    if (*taken != Taken::kWait) ++next_offset_;
    return *taken;
  }
  void DecideParked() { EXPECT_TRUE(intake_.DecideParked(clock_.now).ok()); }

  // Changes Bronze as another writer would.
  void Grow(const std::string& schema_text) {
    const auto layout = std::make_shared<const BronzeLayout>(
        *BronzeLayout::Make(*avro::Schema::Parse(schema_text), {}));
    lake::Changes changes;
    changes.growth = lake::TableGrowth{
        layout->table.schema, {{tables::kReaderSchemaProperty, layout->reader_schema.text()}}};
    EXPECT_EQ(
        lake::CommitOutcome::kCommitted,
        bronze_
            ->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{10'000})
            ->outcome);
  }

  shopstream::testing::StoppedClock clock_;
  testing::ListedRegistry registry_{.schemas = testing::SchemasById()};
  std::shared_ptr<const BronzeLayout> layout_ = testing::EventLayout();
  SchemaCache cache_{layout_, [this](int32_t id) { return registry_.Answer(id); }};
  testing::Records records_;
  int64_t next_offset_ = 100;
  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> bronze_;
  Intake intake_{layout_, &cache_, nullptr};
};

TEST_F(IntakeTest, ARecordIsDecidedAtOnceAndItsSchemaIsAskedForOnce) {
  EXPECT_EQ(Taken::kTaken, Take(Event(1, "US", kOct24)));
  EXPECT_EQ(Taken::kTaken, Take(Event(2, "EU", kOct24)));
  EXPECT_EQ(Taken::kTaken, Take("garbage"));
  EXPECT_EQ(Taken::kTaken, Take(std::nullopt));
  EXPECT_THAT(registry_.asked, ElementsAre(testing::kSchemaId));
  const Cut cut = *intake_.Finish();
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(100, 101));
  ASSERT_EQ(2u, cut.quarantined.size());
  EXPECT_EQ(102, cut.quarantined[0].offset);
  EXPECT_EQ(103, cut.quarantined[1].offset);
}

TEST_F(IntakeTest, AnIdIsUnknownOnlyOnceItsDenialIsConfirmed) {
  EXPECT_EQ(Taken::kParked, Take(Event(1, "US", kOct24, kNobodysId)));
  EXPECT_EQ(Taken::kTaken, Take(Event(2, "US", kOct24)));
  clock_.now += SchemaCache::kConfirmUnknownAfter - Millis{1};
  DecideParked();
  EXPECT_TRUE(intake_.filling().has_parked());
  EXPECT_EQ(1, std::count(registry_.asked.begin(), registry_.asked.end(), kNobodysId));
  clock_.now += Millis{1};
  DecideParked();
  EXPECT_FALSE(intake_.filling().has_parked());
  const Cut cut = *intake_.Finish();
  ASSERT_EQ(1u, cut.quarantined.size());
  EXPECT_EQ(100, cut.quarantined[0].offset);
  EXPECT_EQ(Cause::kUnknownSchema, cut.quarantined[0].cause);
}

TEST_F(IntakeTest, AnIdThatTheRegistryLearnsMeanwhileMakesItsRecordsRows) {
  registry_.schemas.erase(testing::kWithLeft);
  EXPECT_EQ(Taken::kParked, Take(testing::EventWithLeft(1, "x")));
  registry_.schemas = testing::SchemasById();
  clock_.now += SchemaCache::kConfirmUnknownAfter;
  DecideParked();
  const Cut cut = *intake_.Finish();
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(100));
  EXPECT_TRUE(cut.quarantined.empty());
}

TEST_F(IntakeTest, AnOutageIsNoVerdict) {
  registry_.out = true;
  EXPECT_EQ(Taken::kWait, Take(Event(1, "US", kOct24)));
  EXPECT_EQ("connection refused", intake_.TakeOutage());
  EXPECT_EQ(std::nullopt, intake_.TakeOutage()) << "it is said once";
  EXPECT_EQ(Taken::kWait, Take(Event(1, "US", kOct24)));
  EXPECT_EQ(1u, registry_.asked.size()) << "it is not asked again yet";
  clock_.now += SchemaCache::kOutagePause;
  EXPECT_EQ(Taken::kWait, Take(Event(1, "US", kOct24)));
  EXPECT_EQ(2u, registry_.asked.size());
  registry_.out = false;
  clock_.now += SchemaCache::kOutagePause;
  EXPECT_EQ(Taken::kTaken, Take(Event(1, "US", kOct24)));
  EXPECT_EQ(1, intake_.filling().rows());
}

TEST_F(IntakeTest, WhatIsParkedWaitsOutAnOutage) {
  EXPECT_EQ(Taken::kParked, Take(Event(1, "US", kOct24, kNobodysId)));
  registry_.out = true;
  clock_.now += SchemaCache::kConfirmUnknownAfter;
  DecideParked();
  EXPECT_TRUE(intake_.TakeOutage());
  EXPECT_TRUE(intake_.filling().has_parked());
  const size_t asked = registry_.asked.size();
  DecideParked();
  EXPECT_EQ(asked, registry_.asked.size());
  registry_.out = false;
  clock_.now += SchemaCache::kOutagePause;
  DecideParked();
  EXPECT_FALSE(intake_.filling().has_parked());
}

TEST_F(IntakeTest, WhatIsParkedIsBounded) {
  const std::string large = Event(1, std::string(1 << 20, 'x'), kOct24, kNobodysId);
  int parked = 0;
  while (Take(large) == Taken::kParked) ASSERT_LT(++parked, 10);
  EXPECT_GE(parked, 4);
  EXPECT_EQ(std::nullopt, intake_.TakeOutage());
}

TEST_F(IntakeTest, TheTableThatOthersGrewGivesNewRowsItsColumns) {
  EXPECT_EQ(Taken::kTaken, Take(Event(1, "US", kOct24)));
  Grow(testing::EventWith("left", "string"));
  EXPECT_TRUE(*intake_.Adopt(*bronze_->snapshot()));
  EXPECT_EQ(Taken::kTaken, Take(Event(2, "US", kOct24)));
  const Cut cut = *intake_.Finish();
  EXPECT_EQ(2, cut.bronze.rows->num_rows());
  const auto left = cut.bronze.rows->GetColumnByName("left");
  ASSERT_NE(nullptr, left);
  EXPECT_EQ(2, left->null_count());
}

TEST_F(IntakeTest, GrowthThatContradictsTheRowsIsNotAdopted) {
  EXPECT_EQ(Taken::kTaken, Take(testing::EventWithLeft(1, "x")));
  Grow(testing::EventWith("left", "long"));
  EXPECT_FALSE(*intake_.Adopt(*bronze_->snapshot()));
  // After starting over with the table, the same record gets another verdict.
  ASSERT_TRUE(intake_.StartFrom(*bronze_->snapshot()).ok());
  EXPECT_EQ(0, intake_.filling().rows());
  EXPECT_EQ(Taken::kTaken, Take(testing::EventWithLeft(1, "x")));
  EXPECT_EQ(0, intake_.filling().rows());
  EXPECT_EQ(1, intake_.filling().quarantined());
}

TEST_F(IntakeTest, StartingOverForgetsRecordsAndTheOutage) {
  EXPECT_EQ(Taken::kTaken, Take(Event(1, "US", kOct24)));
  EXPECT_EQ(Taken::kParked, Take(Event(1, "US", kOct24, kNobodysId)));
  registry_.out = true;
  EXPECT_EQ(Taken::kWait, Take(testing::EventWithLeft(2, "x")));
  registry_.out = false;
  ASSERT_TRUE(intake_.StartFrom(*bronze_->snapshot()).ok());
  EXPECT_EQ(std::nullopt, intake_.TakeOutage());
  EXPECT_FALSE(intake_.filling().has_parked());
  EXPECT_EQ(Taken::kTaken, Take(testing::EventWithLeft(2, "x"))) << "it may be asked immediately";
  EXPECT_THAT((*intake_.Finish()).bronze.kafka_offset, ElementsAre(102));
}

}  // namespace
}  // namespace shopstream::ingest
