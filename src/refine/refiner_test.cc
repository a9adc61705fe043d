#include "refine/refiner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/testing.h"
#include "lake/delta/log_entry.h"
#include "refine/fingerprint_uses.h"
#include "refine/gold_files.h"
#include "refine/refiner_testing.h"
#include "refine/status.h"

namespace shopstream::refine {
namespace {

using simulate::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPaths;
using testing::kRejects;
using testing::kSilver;
using testing::Purchase;
using testing::RefinerTest;
using ::testing::SizeIs;

constexpr char kQuality[] = "gold/quality_daily";

TEST_F(RefinerTest, EachRowIsInSilverOrRejectedWithItsReasons) {
  Ingest({{.id = "a", .offset = 0, .amount = 10.01, .currency = "EUR"},
          {.id = "b", .offset = 1, .amount = -1},
          {.id = {}, .offset = 2},
          {.id = "c", .offset = 3, .amount = std::numeric_limits<double>::quiet_NaN()},
          {.id = "d", .offset = 4, .currency = "XXX"},
          {.id = "a", .offset = 5}});
  MustRefine();
  EXPECT_THAT(Silver({"event_id", "amount_usd", "product_category", "late", "refine_pass"}),
              ElementsAre("a|10.86|Drinks|false|1"));
  EXPECT_THAT(Rejects(), ElementsAre("1|positive_amount", "2|not_computable", "3|not_computable",
                                     "4|not_computable", "5|duplicate"));
}

TEST_F(RefinerTest, APurchaseIsInSilverOnceWhateverThePass) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .date = testing::kOct24 + 1}});
  MustRefine();
  Ingest({{.id = "a", .offset = 2},
          {.id = "a", .offset = 3, .date = testing::kOct24 + 1},
          {.id = "c", .offset = 4},
          {.id = "c", .offset = 0, .partition = 1}});
  MustRefine();
  EXPECT_THAT(Silver({"event_id", "kafka_partition", "kafka_offset"}),
              ElementsAre("a|0|0", "a|0|3", "b|0|1", "c|0|4"))
      << "on another day it is another purchase";
  EXPECT_THAT(Rejects({"kafka_partition", "kafka_offset", "reasons"}),
              ElementsAre("0|2|duplicate", "1|0|duplicate"));
  EXPECT_EQ(2, Standing(kSilver).pass);
  EXPECT_EQ(Standing(kRejects).ends, Standing(kSilver).ends);
}

TEST_F(RefinerTest, WithoutRowsThereIsNoPass) {
  MustRefine();
  EXPECT_EQ(std::nullopt, Standing(kRejects).pass);
  Ingest({{.id = "a"}});
  MustRefine();
  MustRefine();
  EXPECT_EQ(1, Standing(kRejects).pass);
  // Ingest moved on past records that it quarantined.
  testing::Ingest(bronze_.get(), {}, {{tables::ProgressAppId(testing::kTopicIdA, 0), 9}});
  MustRefine();
  EXPECT_EQ(1, Standing(kRejects).pass);
}

TEST_F(RefinerTest, BoundedPassesTakeTheBacklogInParts) {
  std::vector<Purchase> rows;
  for (int64_t i = 0; i < 40; ++i) rows.push_back({.id = std::to_string(i % 30), .offset = i});
  Ingest(rows);
  RefinerOptions ten;
  ten.pass_rows = 10;
  MustRefine(ten);
  EXPECT_EQ(4, Standing(kSilver).pass);
  EXPECT_THAT(Silver(), SizeIs(30));
  EXPECT_THAT(Rejects(), SizeIs(10));
}

TEST_F(RefinerTest, AReplayedRecordIsRefinedOnce) {
  Ingest({{.id = "a", .offset = 0}, {.id = "d", .offset = 3}});
  MustRefine();
  testing::Replay(bronze_.get(), {{.id = "b", .offset = 1}, {.id = "a", .offset = 2}});
  MustRefine();
  MustRefine();
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|1", "d|3"));
  EXPECT_THAT(Rejects(), ElementsAre("2|duplicate"));
  EXPECT_EQ(2, Standing(kSilver).pass);
}

TEST_F(RefinerTest, ALostIndexIsRebuiltFromSilver) {
  Ingest({{.id = "a", .offset = 0}});
  MustRefine();
  pages_ = std::make_unique<simulate::MemoryPages>();
  Ingest({{.id = "a", .offset = 1}, {.id = "b", .offset = 2}});
  MustRefine();
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|2"));
}

TEST_F(RefinerTest, AnIndexThatMissedAPassFollows) {
  Ingest({{.id = "a", .offset = 0}});
  MustRefine();
  Ingest({{.id = "b", .offset = 1}});
  simulate::MemoryPages elsewhere;
  const auto other = *Start({}, &elsewhere);
  ASSERT_TRUE(Finish(other.get()).ok());
  Ingest({{.id = "a", .offset = 2}, {.id = "b", .offset = 3}});
  MustRefine();
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|1"));
}

TEST_F(RefinerTest, ANewColumnOfBronzeArrivesWithItsFirstRows) {
  Ingest({{.id = "a", .offset = 0}});
  MustRefine();
  auto fields = bronze_->snapshot()->schema()->fields();
  fields.insert(fields.begin(), arrow::field("coupon", arrow::utf8()));
  lake::Changes growth;
  growth.growth = lake::TableGrowth{arrow::schema(fields), {}};
  testing::Commit(bronze_.get(), lake::Unconditionally(growth));
  Ingest({{.id = "b", .offset = 1}, {.id = "b", .offset = 2}});
  MustRefine();
  EXPECT_THAT(Silver({"event_id", "coupon"}), ElementsAre("a|null", "b|null"));
  EXPECT_THAT(Rejects({"kafka_offset", "coupon"}), ElementsAre("2|null"));
}

TEST_F(RefinerTest, ThePassIsFinishedAsItWasDecidedWhateverTheRulesSayByThen) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .amount = -1}});
  const auto program = *Start();
  store_->On(Operation::kPutIfAbsent, "silver-events/_delta_log/").FailsBefore().Always();
  EXPECT_TRUE(IsUnavailable(Finish(program.get())));
  store_->Heal();
  EXPECT_EQ(1, Standing(kRejects).pass);
  EXPECT_EQ(std::nullopt, Standing(kSilver).pass);
  UseRules(R"(rules: [{name: no_euros, owner: o, description: d, action: reject,
                       allowed: {column: currency, values: [JPY]}}])");
  MustRefine();
  EXPECT_THAT(Silver(), ElementsAre("a|0"));
  EXPECT_THAT(Rejects(), ElementsAre("1|positive_amount"));
  Ingest({{.id = "c", .offset = 2}});
  MustRefine();
  EXPECT_THAT(Rejects(), ElementsAre("1|positive_amount", "2|no_euros")) << "the next pass";
  const auto uses =
      *ReadFingerprintUses(*(*lake::Table::Open(store_->inner(), kRejects))->snapshot());
  ASSERT_THAT(uses, SizeIs(2));
  EXPECT_EQ(1, uses[1].first_pass) << "Silver's columns of pass 1 are by the later rules";
}

TEST_F(RefinerTest, ABronzeThatWasRestoredAndHasGrownIsNotRefined) {
  Ingest({{.id = "a", .offset = 0}});
  std::map<std::string, std::shared_ptr<arrow::Buffer>> backup;
  for (const auto& entry : *store_->inner()->List(kPaths.bronze)) {
    backup[entry.path] = *store_->inner()->Get(entry.path);
  }
  Ingest({{.id = "b", .offset = 1}});
  const auto running = *Start();
  ASSERT_TRUE(Finish(running.get()).ok());
  for (const auto& entry : *store_->inner()->List(kPaths.bronze)) {
    ASSERT_TRUE(store_->inner()->Delete(entry.path).ok());
  }
  for (const auto& [path, content] : backup) {
    ASSERT_TRUE(store_->inner()->Put(path, *content).ok());
  }
  bronze_ = *lake::Table::Open(store_->inner(), kPaths.bronze);
  for (int64_t offset = 1; offset < 5; ++offset) Ingest({{.id = "other", .offset = offset}});
  for (const Status& refused : {Refine(), Finish(running.get())}) {
    EXPECT_THAT(refused.message(), HasSubstr("has another version 2 than pass 1 read"));
    EXPECT_THAT(refused.message(), HasSubstr("`shopstream refine`, which starts over"));
  }
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|1"));
}

TEST_F(RefinerTest, WithoutTheVersionThatItSawAPassSearchesAllOfBronze) {
  Ingest({{.id = "a", .offset = 0}});
  MustRefine();
  const int64_t seen = bronze_->snapshot()->version();
  Ingest({{.id = "b", .offset = 1}});
  bronze_ = *lake::Table::Open(store_->inner(), kPaths.bronze);
  const auto running = *Start();
  ASSERT_TRUE(store_->inner()->Delete(lake::LogEntryPath(kPaths.bronze, seen)).ok());
  ASSERT_TRUE(Finish(running.get()).ok());
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|1"));
  EXPECT_EQ(seen + 1, Standing(kSilver).bronze_version);
}

TEST_F(RefinerTest, EachPassWaitsForRowsAsLong) {
  ::shopstream::testing::StoppedClock clock;
  UseRules(R"({stop_above: {percent: 5, rows: 1000}, rules: [
      {name: sane, owner: o, description: d, action: reject,
       range: {column: amount, most: 100}}]})");
  RefinerOptions watching;
  watching.wait_for_rows = Millis{30'000};
  const auto first = *Start(watching);
  Ingest({{.id = "a", .offset = 0, .amount = 1000}});
  EXPECT_EQ(StepOutcome::kWaiting, *first->refiner->Step());
  clock.now += Millis{20'000};
  simulate::MemoryPages elsewhere;
  const auto other = *Start({}, &elsewhere);
  ASSERT_TRUE(Finish(other.get()).ok());
  Ingest({{.id = "b", .offset = 1, .amount = 1000}});
  StepOutcome outcome = *first->refiner->Step();
  for (int i = 0; i < 3 && outcome == StepOutcome::kStandby; ++i) {
    clock.now += Standby::kTakesOverAfter;
    outcome = *first->refiner->Step();
  }
  EXPECT_EQ(StepOutcome::kWaiting, outcome) << "the other refine has made the pass that waited";
  clock.now += watching.wait_for_rows;
  EXPECT_EQ(StepOutcome::kPassed, *first->refiner->Step());
}

TEST_F(RefinerTest, ALoserStandsByAndTheWinnerGoesOn) {
  Ingest({{.id = "a", .offset = 0}});
  const auto first = *Start();
  simulate::MemoryPages elsewhere;
  const auto second = *Start({}, &elsewhere);
  bool done = false;
  store_->On(Operation::kPutIfAbsent, "silver-rejects/_delta_log/").Calls([&](const std::string&) {
    if (std::exchange(done, true)) return;
    EXPECT_TRUE(Finish(second.get()).ok());
  });
  EXPECT_EQ(StepOutcome::kWorked, *first->refiner->Step());
  EXPECT_EQ(1, first->stats.lost());
  EXPECT_EQ(StepOutcome::kStandby, *first->refiner->Step());
  Ingest({{.id = "b", .offset = 1}});
  EXPECT_EQ(StepOutcome::kStandby, *first->refiner->Step());
  EXPECT_TRUE(Finish(second.get()).ok());
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|1"));
}

TEST_F(RefinerTest, WhoSeesAnotherRefineAtWorkStandsBy) {
  const auto first = *Start();
  simulate::MemoryPages elsewhere;
  const auto second = *Start({}, &elsewhere);
  EXPECT_EQ(StepOutcome::kIdle, *second->refiner->Step());
  Ingest({{.id = "a", .offset = 0}});
  EXPECT_TRUE(Finish(first.get()).ok());
  Ingest({{.id = "b", .offset = 1}});
  EXPECT_EQ(StepOutcome::kStandby, *second->refiner->Step());
  EXPECT_EQ(0, second->stats.lost());
  EXPECT_TRUE(Finish(first.get()).ok());
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|1"));
}

TEST_F(RefinerTest, AStopRuleHaltsUntilItIsAccepted) {
  UseRules(R"(rules: [{name: sane, owner: o, description: d, action: stop,
                       range: {column: amount, most: 100}}])");
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .amount = 1000}});
  EXPECT_EQ("halted", Refine().message());
  EXPECT_EQ("halted", Refine().message()) << "it is stored";
  EXPECT_THAT(Silver(), IsEmpty());
  const auto status = *ReadRefineStatus(store_->inner(), kPaths);
  ASSERT_TRUE(status.halt);
  EXPECT_EQ("sane", status.halt->rule);
  EXPECT_EQ(1, status.halt->found);
  EXPECT_EQ(2, status.rows_left());
  const auto rejects = *lake::Table::Open(store_->inner(), kRejects);
  EXPECT_THAT(AcceptHalt(rejects.get(), "other").status().message(),
              HasSubstr("rule other does not halt refining"));
  EXPECT_EQ(1, AcceptHalt(rejects.get(), "sane")->pass);
  MustRefine();
  EXPECT_THAT(Silver(), ElementsAre("a|0"));
  EXPECT_THAT(Rejects(), ElementsAre("1|sane"));
  Ingest({{.id = "c", .offset = 2, .amount = 1000}});
  EXPECT_EQ("halted", Refine().message()) << "it was accepted for one pass";
}

TEST_F(RefinerTest, OtherRulesEndAHalt) {
  UseRules(R"(rules: [{name: sane, owner: o, description: d, action: stop,
                       range: {column: amount, most: 100}}])");
  Ingest({{.id = "b", .offset = 1, .amount = 1000}});
  EXPECT_EQ("halted", Refine().message());
  UseRules("rules: []");
  MustRefine();
  EXPECT_THAT(Silver(), ElementsAre("b|1"));
}

TEST_F(RefinerTest, AGoldFileThatChangesWhileItRunsIsBuiltAndABrokenOneIsNot) {
  const auto file = [](const std::string& name, const std::string& sql) {
    return *ParseGold(name, {"-- key: date\n-- n: add\n-- aggregate\n" + sql, name + ".sql", 1});
  };
  const auto rows = [&](const std::string& name) {
    return testing::ReadLines(store_->inner(), "gold/" + name, {"date", "n"});
  };
  gold_files_ = {file("counts", "SELECT date, count(*) AS n FROM silver_events GROUP BY date")};
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .quantity = 3}});
  const auto running = *Start();
  ASSERT_TRUE(Finish(running.get()).ok());
  EXPECT_THAT(rows("counts"), ElementsAre("2025-10-24|2"));

  gold_files_.push_back(file(
      "units", "SELECT date, CAST(sum(qantity) AS BIGINT) AS n FROM silver_events GROUP BY date"));
  ++gold_stamp_;
  Ingest({{.id = "c", .offset = 2}});
  ASSERT_TRUE(Finish(running.get()).ok());
  EXPECT_THAT(running->gold->broken().message(), HasSubstr("units.sql:4"));
  EXPECT_TRUE(running->stats.degraded());
  EXPECT_THAT(rows("counts"), ElementsAre("2025-10-24|3")) << "the files in force are used";

  gold_files_ = {file(
      "units", "SELECT date, CAST(sum(quantity) AS BIGINT) AS n FROM silver_events GROUP BY date")};
  ++gold_stamp_;
  ASSERT_TRUE(Finish(running.get()).ok());
  EXPECT_THAT(rows("units"), ElementsAre("2025-10-24|5")) << "built from what Silver has";
  EXPECT_FALSE(running->stats.degraded());
  Ingest({{.id = "d", .offset = 3}});
  ASSERT_TRUE(Finish(running.get()).ok());
  EXPECT_THAT(rows("units"), ElementsAre("2025-10-24|6"));
  EXPECT_THAT(rows("counts"), ElementsAre("2025-10-24|3")) << "its file is gone";
}

// Two passes: one that is there, one that begins.
class KilledRefineTest : public RefinerTest {
 protected:
  void Prepare() {
    StartOver();
    Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .amount = -1}});
    MustRefine();
    Ingest({{.id = "a", .offset = 2},
            {.id = "c", .offset = 3, .region = "US"},
            {.id = "d", .offset = 4, .amount = 0},
            {.id = "e", .offset = 0, .partition = 1, .date = testing::kOct24 + 1}});
  }
  void Check() {
    MustRefine();
    EXPECT_THAT(Silver(), ElementsAre("a|0", "c|3", "e|0"));
    EXPECT_THAT(Rejects(), ElementsAre("1|positive_amount", "2|duplicate", "4|positive_amount"));
    EXPECT_EQ(2, Standing(kRejects).pass);
    EXPECT_EQ(2, Standing(kSilver).pass);
    EXPECT_EQ(Standing(kRejects).ends, Standing(kSilver).ends);
    if (gold_files_.empty()) return;
    EXPECT_THAT(testing::ReadLines(store_->inner(), kQuality,
                                   {"date", "bronze_rows", "silver_rows", "duplicate_rows"}),
                ElementsAre("2025-10-24|5|2|1", "2025-10-25|1|1|0"));
    EXPECT_EQ(2, Standing(kQuality).pass);
  }

  void KillAtEvery(int calls_between) {
    RefinerTest::KillAtEvery(
        calls_between, [&] { Prepare(); }, [&] { return Refine(); }, [&] { Check(); });
  }
};

TEST_F(KilledRefineTest, AKillAnywhereLosesAndRepeatsNothing) { KillAtEvery(1); }

TEST_F(KilledRefineTest, GoldIsFinishedByTheNextRefine) {
  for (GoldFile& file : *LoadGoldFiles("")) {
    if (file.name == "quality_daily") gold_files_.push_back(std::move(file));
  }
  KillAtEvery(7);
}

TEST_F(KilledRefineTest, AnotherRefineAtEveryCallTakesAPartOfTheWork) {
  InterruptAtEvery(
      1, [&] { Prepare(); }, [&] { return Refine(); }, [&] { Check(); });
}

}  // namespace
}  // namespace shopstream::refine
