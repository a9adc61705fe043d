#include "refine/restate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "refine/gold_files.h"
#include "refine/refiner_testing.h"
#include "refine/status.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using testing::kOct24;
using testing::kPaths;
using testing::kRejects;
using testing::kSilver;
using testing::RefinerTest;

constexpr char kQuality[] = "gold/quality_daily";
constexpr char kBelow100[] = R"(rules: [{name: below_100, owner: o, description: d, action: reject,
                                         range: {column: amount, most: 100}}])";

class RestateTest : public RefinerTest {
 protected:
  static RefinerOptions Dates(std::optional<int32_t> from = {}, std::optional<int32_t> to = {}) {
    RefinerOptions options;
    options.restate = DatesToRestate{.from = from, .to = to};
    return options;
  }
  void UseQuality() {
    for (GoldFile& file : *LoadGoldFiles("")) {
      if (file.name == "quality_daily") gold_files_.push_back(std::move(file));
    }
  }
  std::vector<std::string> Quality() {
    return testing::ReadLines(store_->inner(), kQuality,
                              {"date", "bronze_rows", "silver_rows", "duplicate_rows"});
  }

  // Two dates under rules that ask for positive amounts; then for small ones.
  void Prepare() {
    StartOver();
    UseRules(testing::kRules);
    Ingest({{.id = "a", .offset = 0, .amount = 1000},
            {.id = "b", .offset = 1, .amount = -1},
            {.id = "c", .offset = 2},
            {.id = "d", .offset = 3, .date = kOct24 + 1, .amount = 1000}});
    MustRefine();
    Ingest({{.id = "c", .offset = 4}, {.id = "b", .offset = 5, .amount = -1}});
    MustRefine();
    UseRules(kBelow100);
  }
  void Kill(int calls_between) {
    const auto restate = [this] { return Refine(Dates(kOct24, kOct24)); };
    KillAtEvery(
        calls_between, [this] { Prepare(); }, restate,
        [&] {
          MustRefine();
          const bool was_reserved = *Standing(kRejects).pass > 2;
          if (!was_reserved) MustRefine(Dates(kOct24, kOct24));
          CheckRestated();
        });
  }
  void CheckRestated() {
    EXPECT_THAT(Silver({"event_id", "kafka_offset"}), ElementsAre("b|1", "c|2", "d|3"));
    EXPECT_THAT(Rejects(), ElementsAre("0|below_100", "4|duplicate", "5|duplicate"));
    const int64_t pass = *Standing(kRejects).pass;
    EXPECT_EQ(pass, Standing(kSilver).pass);
    EXPECT_EQ(Standing(kRejects).ends, Standing(kSilver).ends);
    const auto rejects = *lake::Table::Open(store_->inner(), kRejects);
    EXPECT_EQ(std::nullopt, *tables::ReadRefineTask(*rejects->snapshot())) << "it is forgotten";
    if (gold_files_.empty()) return;
    EXPECT_THAT(Quality(), ElementsAre("2025-10-24|5|2|2", "2025-10-25|1|1|0"));
    EXPECT_EQ(pass, Standing(kQuality).pass);
  }
};

TEST_F(RestateTest, TheRowsOfTheDatesAreJudgedByTheRulesOfNow) {
  UseQuality();
  Prepare();
  EXPECT_THAT(Quality(), ElementsAre("2025-10-24|5|2|1", "2025-10-25|1|1|0"));
  MustRefine(Dates(kOct24, kOct24));
  CheckRestated();
  EXPECT_THAT(Silver({"event_id", "refine_pass"}), ElementsAre("b|3", "c|3", "d|1"))
      << "the other date stays as it was";
}

TEST_F(RestateTest, PassesGoOnAfterIt) {
  UseQuality();
  Prepare();
  MustRefine(Dates());
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c"));
  Ingest({{.id = "b", .offset = 6}, {.id = "a", .offset = 7}, {.id = "e", .offset = 8}});
  MustRefine();
  EXPECT_THAT(Silver({"event_id", "kafka_offset"}), ElementsAre("a|7", "b|1", "c|2", "e|8"));
  EXPECT_THAT(Quality(), ElementsAre("2025-10-24|8|4|3", "2025-10-25|1|0|0"));
}

TEST_F(RestateTest, WhatSilverHasOfSeveralCopiesStays) {
  Ingest({{.id = "a", .offset = 9, .partition = 1}});
  MustRefine();
  Ingest({{.id = "a", .offset = 0}, {.id = "a", .offset = 1}});
  MustRefine();
  MustRefine(Dates());
  EXPECT_THAT(Silver({"kafka_partition", "kafka_offset"}), ElementsAre("1|9"));
  EXPECT_THAT(Rejects(), ElementsAre("0|duplicate", "1|duplicate"));
}

TEST_F(RestateTest, ARefineThatEndsOnceItHasCaughtUpForgetsTheTask) {
  Prepare();
  RefinerOptions options = Dates(kOct24, kOct24);
  options.until_caught_up = true;
  MustRefine(options);
  EXPECT_EQ(3, Standing(kRejects).pass);
  MustRefine(options);
  EXPECT_EQ(4, Standing(kRejects).pass) << "so that the next one begins";
  CheckRestated();
}

TEST_F(RestateTest, RowsThatNoPassHasDecidedAreLeftToTheNext) {
  Prepare();
  Ingest({{.id = "f", .offset = 6}});
  MustRefine(Dates());
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c"));
  EXPECT_EQ(3, Standing(kRejects).pass);
  MustRefine();
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c", "f"));
}

TEST_F(RestateTest, AReplayedRecordIsRestatedOnceItIsRefined) {
  Prepare();
  Ingest({{.id = "h", .offset = 4, .partition = 1}});
  MustRefine();
  testing::Replay(bronze_.get(), {{.id = "g", .offset = 3, .partition = 1}});
  MustRefine(Dates());
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c", "h"));
  MustRefine();
  MustRefine(Dates());
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c", "g", "h"));
}

TEST_F(RestateTest, LittleMemoryGivesTheSame) {
  Prepare();
  RefinerOptions options = Dates();
  options.pass_rows = 1;
  options.row_bytes = 1;
  MustRefine(options);
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c"));
  EXPECT_THAT(Rejects({"reasons"}), ElementsAre("below_100", "below_100", "duplicate", "duplicate"))
      << "which of the copies stays depends on the order of files";
  EXPECT_EQ(4, Standing(kRejects).pass) << "a date for each task";
}

TEST_F(RestateTest, WithoutDatesThereIsNothingToDo) {
  Prepare();
  MustRefine(Dates(kOct24 + 100, kOct24 + 200));
  EXPECT_EQ(2, Standing(kRejects).pass);
}

TEST_F(RestateTest, AKillAnywhereIsFinishedByWhoeverComesNext) { Kill(7); }

TEST_F(RestateTest, GoldIsFinishedByWhoeverComesNext) {
  UseQuality();
  Kill(37);
}

TEST_F(RestateTest, AnotherRefineAtEveryCallTakesAPartOfTheWork) {
  InterruptAtEvery(
      5, [&] { Prepare(); }, [&] { return Refine(Dates(kOct24, kOct24)); },
      [&] {
        MustRefine();
        CheckRestated();
      });
}

TEST_F(RestateTest, AnOpenTaskIsShown) {
  Prepare();
  EXPECT_EQ(std::nullopt, ReadRefineStatus(store_->inner(), kPaths)->task);
  const auto restating = *Start(Dates());
  EXPECT_EQ(StepOutcome::kWorked, *restating->refiner->Step());
  const auto status = *ReadRefineStatus(store_->inner(), kPaths);
  ASSERT_TRUE(status.task);
  EXPECT_EQ(3, status.task->pass);
  EXPECT_FALSE(status.complete());
  MustRefine();
  EXPECT_EQ(std::nullopt, ReadRefineStatus(store_->inner(), kPaths)->task);
}

TEST_F(RestateTest, WhoSeesATaskOfAnotherRefineStandsBy) {
  Prepare();
  simulate::MemoryPages elsewhere;
  const auto other = *Start({}, &elsewhere);
  EXPECT_EQ(StepOutcome::kIdle, *other->refiner->Step());
  const auto restating = *Start(Dates());
  EXPECT_EQ(StepOutcome::kWorked, *restating->refiner->Step());
  EXPECT_EQ(StepOutcome::kStandby, *other->refiner->Step());
  EXPECT_TRUE(Finish(restating.get()).ok());
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "c"));
}

}  // namespace
}  // namespace shopstream::refine
