#include "ingest/quarantine_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "ingest/quarantine_testing.h"
#include "simulate/memory_store.h"
#include "tables/erased_offsets.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using testing::Event;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kOct24;
using testing::kTopic;
using ::testing::Pair;

class QuarantineReplayTest : public testing::QuarantineLakeTest {
 protected:
  Result<ReplaySummary> Replay(const ReplayFilter& filter = {}) {
    options_.patience = {
        .first = Millis{10}, .longest = Millis{100}, .give_up_after = Millis{1000}};
    return ReplayQuarantine(&store_, &registry_, kTopic, {}, filter, options_);
  }

  QuarantineReplay::Options options_;
};

TEST_F(QuarantineReplayTest, WhatIsReadableNowIsAddedOnceHoweverOftenItIsReplayed) {
  Ingest({Event(1, "US", kOct24), testing::EventWithLeft(2, "x"), "garbage"});
  ASSERT_EQ(1, Rows());
  registry_.schemas = testing::SchemasById();
  const ReplaySummary first = *Replay();
  EXPECT_EQ(1, first.replayed);
  EXPECT_EQ(1, first.commits);
  EXPECT_THAT(first.unreadable, ElementsAre(Pair("bad_frame", 1)));
  EXPECT_EQ(2, Rows());
  const ReplaySummary again = *Replay();
  EXPECT_EQ(0, again.replayed);
  EXPECT_EQ(1, again.already_there);
  EXPECT_EQ(2, Rows());
}

TEST_F(QuarantineReplayTest, ADryRunShowsWhatAReplayWouldDoAndChangesNothing) {
  Ingest({Event(1, "US", kOct24), testing::EventWithLeft(2, "x"), "garbage"});
  registry_.schemas = testing::SchemasById();
  const int64_t version = bronze_->snapshot()->version();
  options_.dry_run = true;
  const ReplaySummary plan = *Replay();
  EXPECT_EQ(1, plan.replayed);
  EXPECT_EQ(0, plan.commits);
  EXPECT_EQ(2, plan.examined());
  EXPECT_THAT(plan.unreadable, ElementsAre(Pair("bad_frame", 1)));
  ASSERT_EQ(2U, plan.groups.size());
  EXPECT_EQ(1, plan.groups.at({"bad_frame", std::nullopt}).unreadable);
  const auto& [group, counts] = *plan.groups.rbegin();
  EXPECT_EQ("unknown_schema", group.cause);
  EXPECT_TRUE(group.schema_id.has_value());
  EXPECT_EQ(1, counts.replayed);
  EXPECT_EQ(version, (*bronze_->Refresh())->version());
  EXPECT_EQ(1, Rows());

  options_.dry_run = false;
  ASSERT_EQ(1, Replay()->replayed);
  options_.dry_run = true;
  const ReplaySummary after = *Replay();
  EXPECT_EQ(0, after.replayed);
  EXPECT_EQ(1, after.groups.at(group).already_there);
}

TEST_F(QuarantineReplayTest, ADryRunWithoutBronzeFails) {
  registry_.schemas = testing::SchemasById();
  LayoutOptions other;
  other.table = "another";
  options_.dry_run = true;
  const auto plan = ReplayQuarantine(&store_, &registry_, kTopic, other, {}, options_);
  EXPECT_EQ(ErrorKind::kGone, KindOf(plan.status()));
}

TEST_F(QuarantineReplayTest, WhatWasErasedIsNotAddedAgain) {
  Ingest({testing::EventWithLeft(1, "x"), testing::EventWithLeft(2, "y")});
  registry_.schemas = testing::SchemasById();
  const tables::OffsetsByTopic erased = {
      {testing::kTopicId, *tables::ReplayedOffsets::Parse("0:0")}};
  lake::Changes changes;
  changes.growth = lake::TableGrowth{
      bronze_->snapshot()->schema(),
      *tables::RemovedProperties(*bronze_->snapshot(), tables::Removal::kErased, erased)};
  ASSERT_TRUE(bronze_->Commit(lake::Unconditionally(changes), clock_.now + Millis{1000}).ok());
  EXPECT_EQ(1, Replay()->replayed);
  EXPECT_EQ(1, Rows());
}

TEST_F(QuarantineReplayTest, WhatIsNotReadableYetStaysForALaterReplay) {
  Ingest({testing::EventWithLeft(1, "x")});
  const ReplaySummary early = *Replay();
  EXPECT_EQ(0, early.replayed);
  EXPECT_THAT(early.unreadable, ElementsAre(Pair("unknown_schema", 1)));
  registry_.schemas = testing::SchemasById();
  EXPECT_EQ(1, Replay()->replayed);
  EXPECT_EQ(1, Rows());
}

TEST_F(QuarantineReplayTest, TheFilterChoosesByCauseAndTime) {
  Ingest({testing::EventWithLeft(1, "x"), "garbage"});
  registry_.schemas = testing::SchemasById();
  EXPECT_THAT(Replay({.cause = "bad_frame"})->unreadable, ElementsAre(Pair("bad_frame", 1)));
  const int64_t sent = kOct24 + testing::kDay / 2;
  EXPECT_EQ(0, Replay({.since_ms = sent + 1})->replayed);
  EXPECT_EQ(0, Replay({.until_ms = sent})->replayed);
  EXPECT_EQ(1, Replay({.since_ms = sent, .until_ms = sent + 1})->replayed);
}

TEST_F(QuarantineReplayTest, EachCommitIsAsLargeAsTold) {
  Ingest({testing::EventWithLeft(1, "x"), testing::EventWithLeft(2, "y"),
          testing::EventWithLeft(3, "z")});
  registry_.schemas = testing::SchemasById();
  options_.batch_rows = 2;
  const ReplaySummary summary = *Replay();
  EXPECT_EQ(3, summary.replayed);
  EXPECT_EQ(2, summary.commits);
}

TEST_F(QuarantineReplayTest, AnOutageOfTheRegistryIsWaitedOutAndNoVerdict) {
  Ingest({testing::EventWithLeft(1, "x")});
  registry_.schemas = testing::SchemasById();
  registry_.out = true;
  const Status status = Replay().status();
  EXPECT_TRUE(IsUnavailable(status));
  EXPECT_THAT(status.message(), HasSubstr("Gave up the replay: the schema registry"));
  EXPECT_EQ(0, Rows());
  const auto back_at = clock_.now + Millis{300};
  clock_.on_wait = [&] { registry_.out = clock_.now < back_at; };
  EXPECT_EQ(1, Replay()->replayed);
  EXPECT_EQ(1, Rows());
}

TEST_F(QuarantineReplayTest, AFailureOfStorageIsRetriedAndAddsNothingTwice) {
  Ingest({testing::EventWithLeft(1, "x")});
  registry_.schemas = testing::SchemasById();
  store_.On(simulate::Operation::kPutIfAbsent, "bronze-events/_delta_log").LosesReply().Times(2);
  store_.On(simulate::Operation::kPut, ".parquet").FailsBefore().Times(1);
  const auto summary = Replay();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(1, Rows());
}

TEST_F(QuarantineReplayTest, AStopIsReportedAndWhatIsCommittedStays) {
  Ingest({testing::EventWithLeft(1, "x"), testing::EventWithLeft(2, "y")});
  registry_.schemas = testing::SchemasById();
  options_.batch_rows = 1;
  bool stopped = false;
  options_.progress = [&](const ReplaySummary&) { stopped = true; };
  options_.stop = [&] { return stopped; };
  EXPECT_TRUE(Replay().status().IsCancelled());
  EXPECT_EQ(1, Rows());
  stopped = false;
  options_.progress = [](const ReplaySummary&) {};
  EXPECT_EQ(1, Replay()->replayed);
  EXPECT_EQ(2, Rows());
}

TEST_F(QuarantineReplayTest, WithoutAQuarantineThereIsNothingToDo) {
  simulate::MemoryStore empty;
  const auto summary = ReplayQuarantine(&empty, &registry_, kTopic, {}, {}, {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(0, summary->replayed);
  EXPECT_THAT(summary->unreadable, IsEmpty());
}

}  // namespace
}  // namespace shopstream::ingest
