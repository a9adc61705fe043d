#include "ingest/accept_loss.h"

#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

using tables::StopReason;

constexpr char kLossTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

// A Bronze whose partition 1 was read to 100, with the markers 97 to 99, and was stopped.
class AcceptLossTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bronze_ = *lake::Table::OpenOrCreate(&store_, testing::EventLayout()->table);
    lake::Changes changes;
    changes.txns = {{tables::ProgressAppId(kLossTopicId, 1), 100}};
    tables::EmptyOffsets empty{0, 100};
    empty.Skip(97, 100);
    empty.Skip(10, 11);
    tables::Put(kLossTopicId, 1,
                tables::Position{tables::LastRecord{.offset = 96, .hash = 5}, 3, empty},
                &changes.txns);
    tables::Put(kLossTopicId, 1, tables::Stop{StopReason::kBeyondEnd, 1, 60}, &changes.txns);
    Commit(std::move(changes));
  }
  void Commit(lake::Changes changes) {
    ASSERT_EQ(
        lake::CommitOutcome::kCommitted,
        bronze_
            ->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{10'000})
            ->outcome);
  }
  tables::PartitionState State() {
    return tables::ReadPartitionState((*bronze_->Refresh())->Txns(), kLossTopicId, 1);
  }
  LossToAccept TheLoss() {
    LossToAccept loss{.topic = "events",
                      .topic_id = kLossTopicId,
                      .next = 100,
                      .lost = {1, 60, 100},
                      .empty = {},
                      .until = {}};
    loss.empty.Skip(97, 100);
    return loss;
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<lake::Table> bronze_;
};

TEST_F(AcceptLossTest, EndsTheStopAndRecordsTheLoss) {
  ASSERT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), TheLoss()));
  const tables::PartitionState state = State();
  EXPECT_FALSE(state.stopped());
  EXPECT_EQ(100, state.next);
  EXPECT_EQ(100, state.accepted);
  EXPECT_EQ((std::vector<OffsetRange>{{1, 60, 100}}), state.lost);
  EXPECT_FALSE(state.position.last) << "Kafka has another one now";
  EXPECT_EQ(-1, state.position.end_epoch);
  EXPECT_EQ((tables::EmptyOffsets{0, 100, 1, 10}), state.position.empty);
}

TEST_F(AcceptLossTest, HappensOnce) {
  ASSERT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), TheLoss()));
  const int64_t version = bronze_->snapshot()->version();
  EXPECT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), TheLoss())) << "it stands";
  EXPECT_EQ(version, bronze_->snapshot()->version());
  LossToAccept larger = TheLoss();
  larger.lost.begin = 50;
  EXPECT_EQ(AcceptOutcome::kNotStopped, *AcceptLoss(bronze_.get(), larger));
}

TEST_F(AcceptLossTest, IsRefusedOnceTheProgressHasMoved) {
  lake::Changes changes;
  changes.txns = {{tables::ProgressAppId(kLossTopicId, 1), 101}};
  Commit(std::move(changes));
  EXPECT_EQ(AcceptOutcome::kProgressMoved, *AcceptLoss(bronze_.get(), TheLoss()));
  EXPECT_TRUE(State().stopped());
}

TEST_F(AcceptLossTest, AnotherTopicsPartitionIsNotStopped) {
  LossToAccept loss = TheLoss();
  loss.topic_id = "another topic's id";
  EXPECT_EQ(AcceptOutcome::kProgressMoved, *AcceptLoss(bronze_.get(), loss));
}

TEST_F(AcceptLossTest, UntilAlsoGivesUpWhatWasNotRead) {
  LossToAccept loss = TheLoss();
  loss.until = loss.lost.end = 120;
  ASSERT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), loss));
  const tables::PartitionState state = State();
  EXPECT_EQ(120, state.next);
  EXPECT_EQ(120, state.accepted);
  EXPECT_EQ((std::vector<OffsetRange>{{1, 60, 120}}), state.lost);
  EXPECT_EQ((tables::EmptyOffsets{0, 120, 1, 10}), state.position.empty);
  EXPECT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), loss)) << "it stands";
}

TEST_F(AcceptLossTest, UntilPassesARecordOfAPartitionThatIsNotStopped) {
  ASSERT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), TheLoss()));
  LossToAccept loss{.topic = "events",
                    .topic_id = kLossTopicId,
                    .next = 100,
                    .lost = {1, 100, 101},
                    .empty = {},
                    .until = 101};
  ASSERT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), loss));
  EXPECT_EQ(101, State().next);
  EXPECT_EQ((std::vector<OffsetRange>{{1, 60, 100}, {1, 100, 101}}), State().lost);
}

TEST_F(AcceptLossTest, ALostReplyIsNoSecondLoss) {
  store_.On(simulate::Operation::kPutIfAbsent, "_delta_log").LosesReply();
  EXPECT_EQ(AcceptOutcome::kAccepted, *AcceptLoss(bronze_.get(), TheLoss()));
  EXPECT_FALSE(State().stopped());
}

TEST_F(AcceptLossTest, AStoreThatStaysAwayLeavesItUnknown) {
  store_.On(simulate::Operation::kPutIfAbsent, "_delta_log").LosesReply().Always();
  const auto outcome = AcceptLoss(bronze_.get(), TheLoss(), Millis{300});
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(std::string::npos, outcome.status().message().find("Run the command again"))
      << outcome.status().message();
}

TEST_F(AcceptLossTest, ARangeThatDoesNotEndAtTheProgressIsInvalid) {
  LossToAccept loss = TheLoss();
  loss.lost.end = 99;
  EXPECT_TRUE(AcceptLoss(bronze_.get(), loss).status().IsInvalid());
  loss.until = loss.lost.end = 90;
  EXPECT_TRUE(AcceptLoss(bronze_.get(), loss).status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::ingest
