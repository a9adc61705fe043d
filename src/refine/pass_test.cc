#include "refine/pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/error_kind.h"
#include "refine/columns.h"
#include "refine/pass_testing.h"

namespace shopstream::refine {
namespace {

using simulate::Operation;
using testing::kBronze;

constexpr char kRejects[] = "silver-rejects";

class PassTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bronze_ = *lake::Table::OpenOrCreate(&store_, testing::BronzeSpec());
    columns_ = *RefineColumns::Of(kBronze, *bronze_->snapshot());
    table_ = *lake::Table::OpenOrCreate(&store_, RejectsSpec(kRejects, columns_));
  }

  PassChanges Pass(int64_t number, int64_t end) const {
    PassChanges changes;
    changes.columns = columns_.rejects;
    changes.standing.pass = number;
    changes.standing.ends[{testing::kTopicIdA, 0}] = end;
    return changes;
  }
  PassOutcome Commit(const PassChanges& changes, Millis patience = Millis{5000}) {
    const auto committed = CommitPass(table_.get(), changes, BootClock::now() + patience);
    last_error_ = committed.status();
    return committed.ok() ? committed->outcome : PassOutcome::kAgain;
  }
  tables::RefineStanding Stored() {
    return *tables::ReadRefineStanding(*(*lake::Table::Open(&store_, kRejects))->snapshot());
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<lake::Table> bronze_, table_;
  RefineColumns columns_;
  Status last_error_;
};

TEST_F(PassTest, APassFollowsTheOneBeforeIt) {
  EXPECT_EQ(Commit(Pass(1, 10)), PassOutcome::kDone);
  EXPECT_EQ(Commit(Pass(2, 20)), PassOutcome::kDone);
  EXPECT_EQ(Commit(Pass(2, 30)), PassOutcome::kLost) << "it is there";
  EXPECT_EQ(Commit(Pass(4, 30)), PassOutcome::kLost) << "pass 3 is not there";
  EXPECT_EQ(2, Stored().pass);
  EXPECT_EQ(20, (Stored().ends[{testing::kTopicIdA, 0}]));
}

TEST_F(PassTest, AReservedTaskIsTheNextPass) {
  const auto reserve = [&](int64_t pass) {
    const tables::RefineTask task{.pass = pass, .dates = {20385}};
    return *ReserveTask(table_.get(), task, BootClock::now() + Millis{5000});
  };
  EXPECT_EQ(reserve(2), PassOutcome::kLost) << "pass 1 is not there";
  EXPECT_EQ(Commit(Pass(1, 10)), PassOutcome::kDone);
  EXPECT_EQ(reserve(2), PassOutcome::kDone);
  EXPECT_EQ(reserve(2), PassOutcome::kLost) << "one is open";
  EXPECT_EQ(Commit(Pass(2, 20)), PassOutcome::kLost) << "planned before the task was reserved";
  EXPECT_EQ(1, Stored().pass);
  PassChanges task = Pass(2, 10);
  task.standing.task = 2;
  EXPECT_EQ(Commit(task), PassOutcome::kDone);
  EXPECT_EQ(2, (*tables::ReadRefineTask(*table_->snapshot()))->pass);
  PassChanges next = Pass(3, 20);
  next.standing.task = 2;
  EXPECT_EQ(Commit(next), PassOutcome::kDone);
}

TEST_F(PassTest, AFileThatWasReplacedMeanwhileIsPlannedAgain) {
  PassChanges gone = Pass(1, 10);
  gone.removes.resize(1);
  gone.removes[0].path = "date=2025-10-24/part-1.parquet";
  EXPECT_EQ(Commit(gone), PassOutcome::kAgain);
  EXPECT_EQ(std::nullopt, Stored().pass);
}

TEST_F(PassTest, OfTwoRefinesOneCommitsThePass) {
  const auto other = *lake::Table::Open(&store_, kRejects);
  bool done = false;
  store_.On(Operation::kPutIfAbsent, "_delta_log/").Calls([&](const std::string&) {
    if (std::exchange(done, true)) return;
    EXPECT_EQ(PassOutcome::kDone,
              CommitPass(other.get(), Pass(1, 11), BootClock::now() + Millis{5000})->outcome);
  });
  EXPECT_EQ(Commit(Pass(1, 10)), PassOutcome::kLost);
  EXPECT_EQ(11, (Stored().ends[{testing::kTopicIdA, 0}]));
}

TEST_F(PassTest, ALostReplyIsNoSecondCommit) {
  store_.LoseNextReply();
  EXPECT_EQ(Commit(Pass(1, 10)), PassOutcome::kDone);
  EXPECT_EQ(1, (*table_->Refresh())->version());
}

TEST_F(PassTest, WithoutAnAnswerTheTableShowsWhetherItWasCommitted) {
  store_.On(Operation::kPutIfAbsent).LosesReply();
  store_.OnAny().FailsBefore().Always();
  EXPECT_EQ(Commit(Pass(1, 10), Millis{100}), PassOutcome::kAgain);
  EXPECT_TRUE(IsUnavailable(last_error_)) << last_error_;
  store_.Heal();
  EXPECT_EQ(Stored().pass.value_or(0), *tables::RefinePass(**table_->Refresh()));
  EXPECT_EQ(Commit(Pass(1, 10)), PassOutcome::kLost);
}

TEST_F(PassTest, NewColumnsOfBronzeArriveWithThePass) {
  PassChanges changes = Pass(1, 10);
  auto fields = columns_.rejects->fields();
  fields.insert(fields.begin(), arrow::field("coupon", arrow::utf8()));
  changes.columns = arrow::schema(fields);
  EXPECT_EQ(Commit(changes), PassOutcome::kDone);
  EXPECT_NE(nullptr, table_->snapshot()->schema()->GetFieldByName("coupon"));
  EXPECT_EQ(Commit(Pass(2, 20)), PassOutcome::kDone) << "a refine that does not know it yet";
  EXPECT_NE(nullptr, table_->snapshot()->schema()->GetFieldByName("coupon"));
}

TEST_F(PassTest, PropertiesAreSetWhileThePassStands) {
  const auto set = [&](int64_t pass, const std::string& value) {
    return *CommitProperties(table_.get(), pass, "HALT", {{"a", value}},
                             BootClock::now() + Millis{5000});
  };
  EXPECT_EQ(set(0, "1"), PassOutcome::kDone);
  EXPECT_EQ(set(0, "1"), PassOutcome::kDone);
  EXPECT_EQ(1, table_->snapshot()->version()) << "the second one changes nothing";
  EXPECT_EQ(Commit(Pass(1, 10)), PassOutcome::kDone);
  EXPECT_EQ(set(0, "2"), PassOutcome::kLost);
  EXPECT_EQ("1", table_->snapshot()->properties().at("a"));
}

}  // namespace
}  // namespace shopstream::refine
