#include "refine/gold_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "lake/upkeep/compaction.h"
#include "refine/gold_table.h"
#include "refine/gold_world_testing.h"

namespace shopstream::refine {
namespace {

using simulate::Operation;
using ::testing::HasSubstr;
using testing::RefinedPurchase;

class GoldPassTest : public testing::GoldWorld {
 protected:
  // A built table with one pass, and the input of the next one.
  GoldInput SecondPass() {
    MustBuild();
    MustCommit(AddPass({{.user = 1}, {.user = 2, .region = "US"}, {.user = 1, .day = 1}}));
    return AddPass({{.user = 1, .name = "Ale"},
                    {.user = 3, .product = "P2", .name = "Zest"},
                    {.user = 2, .day = 2},
                    {.user = 9, .reasons = "duplicate"}});
  }
  // Whoever goes on finds the pass finished, or finishes it, and the next one is right as well.
  void FinishAndGoOn() {
    store_->Heal();
    pages_->Revive();
    Reopen();
    const auto input = ReadGoldInput(Sources(), columns_, standing_);
    ASSERT_TRUE(input.ok()) << input.status();
    MustCommit(*input);
    ExpectGold();
    MustCommit(AddPass({{.user = 3}, {.user = 4}, {.user = 3, .region = "US", .day = 1}}));
    ExpectGold();
  }
  int64_t Objects() {
    return static_cast<int64_t>(store_->inner()->List(testing::kGoldPath, "").ValueOrDie().size());
  }
  // Another program rewrites every file of the table, as compaction does.
  void ReplaceFiles(bool vacuum) {
    lake::ObjectStore* const store = store_->inner();
    const auto table = lake::Table::Open(store, testing::kGoldPath).ValueOrDie();
    const auto files = table->snapshot()->Files();
    const auto rows = ReadRows(store, table->path(), files, merge_->schema()).ValueOrDie();
    lake::Changes changes;
    changes.operation = "OPTIMIZE";
    changes.data_change = false;
    changes.written_since = BootClock::now();
    changes.adds = WriteDates(store, table->path(), rows).ValueOrDie();
    changes.removes = files;
    ASSERT_EQ(lake::CommitOutcome::kCommitted,
              table->Commit(lake::Unconditionally(changes), In(Millis{20'000}))->outcome);
    if (vacuum) Discard(store, table->path(), files);
  }
};

TEST_F(GoldPassTest, PassesAddUp) {
  MustBuild();
  EXPECT_EQ(GoldPass(), 0);
  for (int pass = 1; pass <= 4; ++pass) {
    MustCommit(AddPass({{.user = pass, .day = pass % 3},
                        {.user = 1, .region = {}, .cents = {}},
                        {.user = {}, .day = {}, .product = {}, .name = {}},
                        {.user = 5, .reasons = "positive_amount"}}));
    EXPECT_EQ(GoldPass(), pass);
    ExpectGold();
  }
  const auto standing = tables::ReadRefineStanding(*gold_->snapshot());
  EXPECT_EQ(standing->author, 77);
  EXPECT_TRUE(standing->ends.empty());
}

TEST_F(GoldPassTest, APassRewritesTheTouchedDatesAlone) {
  MustBuild();
  MustCommit(AddPass({{.day = 0}, {.day = 1}, {.day = 2}}));
  const auto before = gold_->snapshot()->Files();
  MustCommit(AddPass({{.day = 1}, {.day = 1}, {.day = 7, .reasons = "duplicate"}}));
  const auto after = gold_->snapshot()->Files();
  ASSERT_EQ(after.size(), 3u);
  EXPECT_EQ(after[0].path, before[0].path);
  EXPECT_NE(after[1].path, before[1].path);
  EXPECT_EQ(after[2].path, before[2].path);
}

TEST_F(GoldPassTest, AnEmptyPassIsCommitted) {
  MustBuild();
  MustCommit(AddPass({{}}));
  const int64_t objects = Objects();
  MustCommit(AddPass({}));
  EXPECT_EQ(GoldPass(), 2);
  EXPECT_EQ(Objects(), objects + 1) << "a log entry and no file";
  MustCommit(AddPass({{.reasons = "duplicate"}}));
  EXPECT_EQ(GoldPass(), 3);
  ExpectGold();
}

TEST_F(GoldPassTest, ARepeatedPassChangesNothing) {
  const GoldInput input = SecondPass();
  MustCommit(input);
  const int64_t version = gold_->snapshot()->version();
  MustCommit(input);
  EXPECT_EQ(gold_->snapshot()->version(), version);
  ExpectGold();
}

TEST_F(GoldPassTest, APassThatDoesNotFollowIsLost) {
  const GoldInput second = SecondPass();
  const GoldInput third = AddPass({{}});
  EXPECT_EQ(*Commit(third), PassOutcome::kLost);
  EXPECT_EQ(GoldPass(), 1);
  MustCommit(second);
  MustCommit(third);
  ExpectGold();
}

TEST_F(GoldPassTest, ATableOfAnotherTextIsLeftAlone) {
  const GoldInput input = SecondPass();
  file_.hash = "another";
  merge_ = GoldMerge::Open(file_, columns_, {}).ValueOrDie();
  EXPECT_EQ(*Commit(input), PassOutcome::kLost);
  EXPECT_EQ(GoldPass(), 1);
}

TEST_F(GoldPassTest, ThePassOfAnotherRefineIsReadFromTheTables) {
  SecondPass();
  // Wherever compaction has moved its rows.
  ASSERT_TRUE(lake::Compact(silver_.get(), {}).ok());
  ASSERT_TRUE(lake::Compact(rejects_.get(), {}).ok());
  FinishAndGoOn();
}

TEST_F(GoldPassTest, KilledAnywhere) {
  const GoldInput input = SecondPass();
  const Saved saved = Save();
  for (int call = 0;; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    ASSERT_LT(call, 200);
    Restore(saved);
    bool struck = false;
    KillAt(call, &struck);
    const auto outcome = Commit(input, Millis{50});
    EXPECT_TRUE(!struck || !outcome.ok() || *outcome != PassOutcome::kDone) << "it is dead";
    FinishAndGoOn();
    if (!struck || HasFatalFailure()) break;
  }
}

TEST_F(GoldPassTest, KilledWhileTheIndexIsWritten) {
  const GoldInput input = SecondPass();
  const Saved saved = Save();
  for (int64_t write = 0;; write += 3) {
    SCOPED_TRACE(write);
    ASSERT_LT(write, 200);
    Restore(saved);
    pages_->KillAfterWrites(write);
    const auto outcome = Commit(input);
    const bool died = pages_->is_dead();
    EXPECT_EQ(outcome.ok(), !died);
    FinishAndGoOn();
    if (!died || HasFatalFailure()) break;
  }
}

TEST_F(GoldPassTest, WithoutItsIndexADateIsReadFromSilver) {
  const GoldInput input = SecondPass();
  pages_ = std::make_unique<simulate::MemoryPages>();
  OpenIndex();
  MustCommit(input);
  FinishAndGoOn();
}

TEST_F(GoldPassTest, LostRepliesAreFoundOut) {
  const GoldInput input = SecondPass();
  store_->LoseNextReply();
  MustCommit(input);
  FinishAndGoOn();
}

TEST_F(GoldPassTest, AnUnknownCommitIsLookedUpByTheNextCall) {
  const GoldInput input = SecondPass();
  store_->On(Operation::kPutIfAbsent).LosesReply();
  store_->On(Operation::kPutIfAbsent).FailsBefore().Always();
  store_->On(Operation::kGet, "_delta_log").Skipping(3).FailsBefore().Always();
  const auto outcome = Commit(input, Millis{100});
  if (outcome.ok()) {
    EXPECT_EQ(*outcome, PassOutcome::kAgain);
  }
  store_->Heal();
  MustCommit(input);
  FinishAndGoOn();
}

TEST_F(GoldPassTest, TwoRefinesCommitThePassOnce) {
  const GoldInput input = SecondPass();
  const Saved saved = Save();
  const auto merge = GoldMerge::Open(file_, columns_, {}).ValueOrDie();
  for (int call = 0;; call += 2) {
    SCOPED_TRACE(call);
    ASSERT_LT(call, 100);
    Restore(saved);
    bool struck = false;
    store_->OnAny().Skipping(call).Calls([&](const std::string&) {
      struck = true;
      GoldInput theirs = *ReadGoldInput(Sources(), columns_, standing_);
      theirs.standing.author = 88;
      const auto table = lake::Table::Open(store_->inner(), testing::kGoldPath).ValueOrDie();
      simulate::MemoryPages pages;
      const auto seen = SeenIndex::Open(&pages, {.table_id = "silver"}).ValueOrDie();
      const auto outcome =
          CommitGold(table.get(), merge.get(), Sources(), seen.get(), theirs,
                     {.deadline = In(Millis{20'000}), .commit_within = Millis{20'000}});
      ASSERT_TRUE(outcome.ok()) << outcome.status();
      EXPECT_EQ(*outcome, PassOutcome::kDone);
    });
    MustCommit(input);
    EXPECT_EQ(GoldPass(), 2);
    FinishAndGoOn();
    if (!struck || HasFatalFailure()) break;
  }
}

TEST_F(GoldPassTest, FilesMayBeReplacedInBetween) {
  const GoldInput input = SecondPass();
  const Saved saved = Save();
  for (const bool vacuum : {false, true}) {
    for (int call = 0;; call += 2) {
      SCOPED_TRACE((vacuum ? "vacuum " : "") + std::to_string(call));
      ASSERT_LT(call, 100);
      Restore(saved);
      bool struck = false;
      store_->OnAny().Skipping(call).Calls([&](const std::string&) {
        struck = true;
        ReplaceFiles(vacuum);
      });
      MustCommit(input);
      FinishAndGoOn();
      if (!struck || HasFatalFailure()) break;
    }
  }
}

TEST_F(GoldPassTest, AMissingLiveFileIsNamed) {
  const GoldInput input = SecondPass();
  const DataFile file = gold_->snapshot()->Files()[0];
  ASSERT_TRUE(store_->inner()->Delete(std::string(testing::kGoldPath) + "/" + file.path).ok());
  EXPECT_THAT(Commit(input).status().message(), HasSubstr(file.path));
  EXPECT_EQ(GoldPass(), 1);
}

TEST_F(GoldPassTest, ADateIsReadFromSilverOnlyIfAnEarlierPassHasRowsOfIt) {
  MustBuild();
  MustCommit(AddPass({{.day = 3}}));
  pages_ = std::make_unique<simulate::MemoryPages>();
  OpenIndex();
  int64_t reads = 0;
  const auto count = [&](const std::string&) { ++reads; };
  const auto commit = [&](const GoldInput& input) {
    GoldSources sources = Sources();
    sources.store = store_.get();
    reads = 0;
    store_->On(simulate::Operation::kOpenInput, testing::kSilverPath).Calls(count).Always();
    store_->On(simulate::Operation::kGet, testing::kSilverPath).Calls(count).Always();
    const auto outcome = CommitGold(gold_.get(), merge_.get(), sources, seen_.get(), input,
                                    {.deadline = In(Millis{20'000})});
    store_->Heal();
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(PassOutcome::kDone, *outcome);
  };
  commit(AddPass({{.day = 4}}));
  EXPECT_EQ(0, reads);
  commit(AddPass({{.day = 3}, {.day = 4}}));
  EXPECT_LT(0, reads);
  ExpectGold();
}

TEST_F(GoldPassTest, SqlThatFailsCommitsNothing) {
  MustBuild();
  MustCommit(AddPass({{.cents = 600'000'000'000'000'000}}));
  const int64_t objects = Objects();
  const auto outcome = Commit(AddPass({{.cents = 600'000'000'000'000'000}, {.day = 3}}));
  EXPECT_THAT(outcome.status().message(),
              ::testing::AllOf(HasSubstr("test.sql"), HasSubstr("DECIMAL(18,2)")));
  EXPECT_EQ(GoldPass(), 1);
  EXPECT_EQ(Objects(), objects);
}

}  // namespace
}  // namespace shopstream::refine
