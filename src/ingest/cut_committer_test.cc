#include "ingest/cut_committer.h"

#include <arrow/array/array_primitive.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ingest/start_positions.h"
#include "ingest/testing.h"
#include "kafka/record_hash.h"
#include "lake/parquet/parquet_file.h"
#include "model/calendar.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

using simulate::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kOct24;
using ::testing::Pair;

constexpr char kTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

// One consumer's path from records to a committed cut, over a store that fails on demand.
class CutCommitterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bronze_ = *lake::Table::OpenOrCreate(&store_, layout_->table);
    quarantine_ =
        *lake::Table::OpenOrCreate(&store_, tables::QuarantineSpec(tables::kQuarantinePath));
  }

  // A cut of partition 0 over [begin, end): offsets divisible by 5 are garbage.
  Cut MakeCut(int64_t begin, int64_t end, std::optional<int64_t> fence,
              std::optional<int64_t> quarantine_fence = std::nullopt,
              const std::set<int64_t>& skip = {}) {
    for (int64_t offset = begin; offset < end; ++offset) {
      if (skip.contains(offset)) continue;
      std::string value = offset % 5 == 0 ? "garbage" : testing::Event(offset, "US", kOct24);
      EXPECT_EQ(testing::Add(records_.Make(0, offset, value), schemas_, &builder_), std::nullopt);
    }
    Cut cut = *builder_.Finish();
    cut.sealed_at = BootClock::now();
    cut.topic = "t";
    cut.topic_id = kTopicId;
    cut.progress = {
        {.range = {0, begin, end}, .fence = fence, .quarantine_fence = quarantine_fence}};
    return cut;
  }

  // Stops partition 0 at `fence`, without rows.
  Cut MakeStop(int64_t fence) {
    Cut stop = MakeCut(0, 0, std::nullopt);
    stop.progress.clear();
    stop.stops = {{.partition = 0,
                   .fence = fence,
                   .accepted = std::nullopt,
                   .stop = {.reason = tables::StopReason::kTruncated, .at_ms = 9}}};
    return stop;
  }

  CutOutcome Commit(const Cut& cut) {
    CutCommitter committer(
        bronze_.get(), quarantine_.get(), nullptr,
        [this]() -> Result<std::string> { return topic_id_; }, options_);
    Result<CommittedCut> committed = committer.Commit(cut, [this] { return abandoned_; });
    last_error_ = committed.status();
    return committed.ok() ? committed->outcome : CutOutcome::kAbandoned;
  }

  // Where the next consumer of partition 0 starts, which Kafka holds completely.
  StartPosition FindStart() {
    TopicSpans topic{.id = kTopicId, .spans = {}};
    topic.spans.emplace(0, kafka::OffsetSpan{0, 100});
    return FindStartPositions(bronze_.get(), quarantine_.get(), nullptr, topic)->at(0);
  }
  Cut MakeCutFrom(const StartPosition& start, int64_t end) {
    std::set<int64_t> skip;
    for (const auto& [offset, hash] : start.quarantined) skip.insert(offset);
    return MakeCut(start.begin, end, start.fence, start.quarantine_fence, skip);
  }
  tables::PartitionState State() {
    return tables::ReadPartitionState((*bronze_->Refresh())->Txns(), kTopicId, 0);
  }

  // How often each offset is in a table, as a reader sees it.
  std::map<int64_t, int> Offsets(const std::string& path) {
    std::map<int64_t, int> counts;
    auto table = *lake::Table::Open(&store_, path);
    for (const DataFile& file : table->snapshot()->Files()) {
      auto rows =
          *lake::ReadDataFile(&store_, path, file, table->snapshot()->schema(), {"kafka_offset"});
      for (const auto& chunk : rows->column(0)->chunks()) {
        const auto& offsets = static_cast<const arrow::Int64Array&>(*chunk);
        for (int64_t i = 0; i < offsets.length(); ++i) ++counts[offsets.Value(i)];
      }
    }
    return counts;
  }

  // Every offset of [0, end) is in one of the tables, exactly once.
  void ExpectExactlyOnce(int64_t end) {
    std::map<int64_t, int> bronze = Offsets(tables::kBronzePath),
                           quarantine = Offsets(tables::kQuarantinePath);
    for (int64_t offset = 0; offset < end; ++offset) {
      EXPECT_EQ(bronze[offset], offset % 5 == 0 ? 0 : 1) << offset;
      EXPECT_EQ(quarantine[offset], offset % 5 == 0 ? 1 : 0) << offset;
    }
    EXPECT_EQ(bronze_->snapshot()->Txn(tables::ProgressAppId(kTopicId, 0)), end);
  }

  std::shared_ptr<const BronzeLayout> layout_ = testing::EventLayout();
  SchemaCache schemas_ = testing::EventSchemas();
  testing::Records records_;
  CutBuilder builder_{layout_};
  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<lake::Table> bronze_, quarantine_;
  std::string topic_id_ = kTopicId;
  bool abandoned_ = false;
  CutCommitter::Options options_{
      .patience = {.first = Millis{1}, .longest = Millis{5}, .give_up_after = Millis{2000}},
      .commit_deadline = Millis{500}};
  Status last_error_;
};

TEST_F(CutCommitterTest, PublishesRowsQuarantineAndProgress) {
  EXPECT_EQ(Commit(MakeCut(0, 12, std::nullopt)), CutOutcome::kCommitted);
  EXPECT_EQ(Commit(MakeCut(12, 20, 12, 12)), CutOutcome::kCommitted);
  ExpectExactlyOnce(20);
}

TEST_F(CutCommitterTest, ARecordWithoutAKafkaTimestampHasNoneInEitherTable) {
  Cut cut = MakeCut(0, 10, std::nullopt);
  for (int64_t& sent : cut.bronze.kafka_timestamp_ms) sent = kNoTimestamp;
  for (QuarantinedRecord& record : cut.quarantined) record.timestamp_ms = kNoTimestamp;
  ASSERT_EQ(Commit(cut), CutOutcome::kCommitted);
  std::vector<int64_t> nulls;
  for (const char* path : {tables::kBronzePath, tables::kQuarantinePath}) {
    const auto snapshot = (*lake::Table::Open(&store_, path))->snapshot();
    for (const DataFile& file : snapshot->Files()) {
      const auto rows =
          *lake::ReadDataFile(&store_, path, file, snapshot->schema(), {"kafka_timestamp"});
      nulls.push_back(rows->column(0)->null_count());
    }
  }
  EXPECT_THAT(nulls, ElementsAre(8, 2));
}

TEST_F(CutCommitterTest, ACutWithoutRowsCommitsItsProgressAlone) {
  Cut cut = MakeCut(0, 0, std::nullopt);
  cut.progress[0].range.end = 3;  // Transaction markers.
  EXPECT_EQ(Commit(cut), CutOutcome::kCommitted);
  EXPECT_EQ(bronze_->snapshot()->Txn(tables::ProgressAppId(kTopicId, 0)), 3);
  EXPECT_EQ(bronze_->snapshot()->file_count(), 0);
}

TEST_F(CutCommitterTest, AConsumerThatWasLeftBehindIsRefused) {
  Cut late = MakeCut(0, 10, std::nullopt);
  Cut late_too = MakeCut(10, 15, 10, 10);
  EXPECT_EQ(Commit(MakeCut(0, 7, std::nullopt)), CutOutcome::kCommitted);
  EXPECT_EQ(Commit(late), CutOutcome::kFenced);
  EXPECT_EQ(Commit(late_too), CutOutcome::kFenced) << "the second cut in flight, likewise";
  ExpectExactlyOnce(7);
}

TEST_F(CutCommitterTest, AnotherConsumerWinsBetweenTheCheckAndTheCommit) {
  Cut ours = MakeCut(1, 5, std::nullopt);  // No garbage: straight to Bronze.
  Cut theirs = MakeCut(1, 4, std::nullopt);
  auto their_bronze = *lake::Table::Open(&store_, tables::kBronzePath);
  bool done = false;
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").Calls([&](const std::string&) {
    if (std::exchange(done, true)) return;
    CutCommitter other(
        their_bronze.get(), quarantine_.get(), nullptr,
        []() -> Result<std::string> { return kTopicId; }, options_);
    EXPECT_EQ(other.Commit(theirs, [] { return false; })->outcome, CutOutcome::kCommitted);
  });
  EXPECT_EQ(Commit(ours), CutOutcome::kFenced);
  EXPECT_EQ(Offsets(tables::kBronzePath), (std::map<int64_t, int>{{1, 1}, {2, 1}, {3, 1}}));
}

TEST_F(CutCommitterTest, ALostReplyIsNoSecondCommit) {
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").LosesReply();
  store_.On(Operation::kPutIfAbsent, "bronze-quarantine/_delta_log").LosesReply();
  EXPECT_EQ(Commit(MakeCut(0, 12, std::nullopt)), CutOutcome::kCommitted);
  ExpectExactlyOnce(12);
}

TEST_F(CutCommitterTest, ACommitThatStandsUnheardOfIsNotTakenForAnothers) {
  // The reply is lost, then storage is unavailable for longer than one attempt.
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").LosesReply();
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").FailsBefore().Always();
  store_.On(Operation::kGet, "bronze-events/_delta_log").FailsBefore().Always();
  options_.commit_deadline = Millis{50};
  const Cut cut = MakeCut(1, 5, std::nullopt);
  const BootClock::time_point back_at = BootClock::now() + Millis{200};
  CutCommitter committer(
      bronze_.get(), quarantine_.get(), nullptr, []() -> Result<std::string> { return kTopicId; },
      options_);
  Result<CommittedCut> committed = committer.Commit(cut, [&] {
    if (BootClock::now() > back_at) store_.Heal();
    return false;
  });
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ(committed->outcome, CutOutcome::kCommitted);
  EXPECT_EQ(Offsets(tables::kBronzePath), (std::map<int64_t, int>{{1, 1}, {2, 1}, {3, 1}, {4, 1}}));
}

TEST_F(CutCommitterTest, WhatTheTableForbidsIsNotTriedAgain) {
  // Another writer requires a feature that this one does not support.
  const std::string upgrade = R"({"protocol":{"minReaderVersion":1,"minWriterVersion":7}})";
  ASSERT_TRUE(store_
                  .PutIfAbsent("bronze-events/_delta_log/00000000000000000001.json",
                               *arrow::Buffer::FromString(upgrade))
                  .ok());
  EXPECT_EQ(Commit(MakeCut(1, 5, std::nullopt)), CutOutcome::kAbandoned);
  EXPECT_FALSE(last_error_.IsIOError()) << last_error_;
  EXPECT_EQ(store_.Count(Operation::kPutIfAbsent, "bronze-events/_delta_log/00000000000000000002"),
            0);
}

// Every storage call for one cut fails once: before taking effect, after it, or halfway.
TEST_F(CutCommitterTest, EveryStepMayFailAndIsMadeAgain) {
  int64_t next = 0;
  std::optional<int64_t> fence;
  for (Operation operation : {Operation::kPut, Operation::kPutIfAbsent, Operation::kGet}) {
    for (const char* path : {"bronze-events", "bronze-quarantine"}) {
      for (int call = 0; call < 3; ++call) {
        for (int kind = 0; kind < 3; ++kind) {
          simulate::Fault& fault = store_.On(operation, path).Skipping(call);
          if (kind == 0) fault.FailsBefore();
          if (kind == 1) fault.LosesReply();
          if (kind == 2) fault.TearsWrite();
          EXPECT_EQ(Commit(MakeCut(next, next + 7, fence, fence)), CutOutcome::kCommitted)
              << path << " call " << call << " kind " << kind << ": " << last_error_;
          next += 7;
          fence = next;
          store_.Heal();
        }
      }
    }
  }
  ExpectExactlyOnce(next);
}

TEST_F(CutCommitterTest, KilledBetweenTheTwoCommitsNothingIsQuarantinedTwice) {
  // Bronze cannot be written and the consumer dies: quarantine is ahead.
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").FailsBefore().Always();
  options_.patience.give_up_after = Millis{50};
  options_.commit_deadline = Millis{20};
  EXPECT_EQ(Commit(MakeCut(0, 12, std::nullopt)), CutOutcome::kAbandoned);
  EXPECT_THAT(last_error_.message(), HasSubstr("commit to Bronze"));
  store_.Heal();

  // The next consumer finds its start offset in the lake, and ends its cut elsewhere.
  StartPosition start = FindStart();
  EXPECT_EQ(start.begin, 0);
  const auto hash_of = [this](int64_t offset) {
    return kafka::ContentHash(records_.Make(0, offset, "garbage"));
  };
  EXPECT_THAT(start.quarantined,
              ElementsAre(Pair(0, hash_of(0)), Pair(5, hash_of(5)), Pair(10, hash_of(10))));
  EXPECT_EQ(Commit(MakeCutFrom(start, 8)), CutOutcome::kCommitted);

  // So does the one after that, although the cut above did not move quarantine's txn.
  start = FindStart();
  EXPECT_EQ(start.begin, 8);
  EXPECT_THAT(start.quarantined, ElementsAre(Pair(10, hash_of(10))));
  EXPECT_EQ(Commit(MakeCutFrom(start, 20)), CutOutcome::kCommitted);
  ExpectExactlyOnce(20);
}

TEST_F(CutCommitterTest, TheStateIsCommittedWithTheProgress) {
  Cut cut = MakeCut(0, 12, std::nullopt);
  tables::Position& position = cut.progress[0].position;
  position.last = {.offset = 11, .leader_epoch = 3, .timestamp_ms = kOct24, .hash = 77};
  position.end_epoch = 3;
  position.empty = tables::EmptyOffsets{0, 12, 0, 0};
  cut.lost = {{.partition = 0, .begin = 2, .end = 4}};
  ASSERT_EQ(Commit(cut), CutOutcome::kCommitted);
  EXPECT_EQ(State().position, position);
  EXPECT_THAT(State().lost, ElementsAre(OffsetRange{0, 2, 4}));
}

TEST_F(CutCommitterTest, ATimeIsCommittedWithTheRowsThatItIsAbout) {
  Cut cut = MakeCut(0, 20, std::nullopt);
  cut.complete = {{.partition = 0, .end = 20, .through_ms = 5000}};
  EXPECT_EQ(CutOutcome::kCommitted, Commit(cut));
  EXPECT_EQ(5000, State().complete_through_ms);
}

TEST_F(CutCommitterTest, ATimeAloneIsACommitIfTheTableIsThatFar) {
  EXPECT_EQ(CutOutcome::kCommitted, Commit(MakeCut(0, 20, std::nullopt)));
  Cut idle = MakeCut(0, 0, std::nullopt);
  idle.progress.clear();
  idle.complete = {{.partition = 0, .end = 20, .through_ms = 5000},
                   {.partition = 1, .end = 0, .through_ms = 5000}};
  EXPECT_EQ(CutOutcome::kCommitted, Commit(idle));
  EXPECT_EQ(5000, State().complete_through_ms);
  EXPECT_FALSE(
      tables::ReadPartitionState(bronze_->snapshot()->Txns(), kTopicId, 1).complete_through_ms)
      << "the table does not know the partition";
  idle.complete = {{.partition = 0, .end = 21, .through_ms = 9000}};
  EXPECT_EQ(CutOutcome::kCommitted, Commit(idle));
  EXPECT_EQ(5000, State().complete_through_ms);
}

TEST_F(CutCommitterTest, ATimeNeverMovesBack) {
  Cut cut = MakeCut(0, 20, std::nullopt);
  cut.complete = {{.partition = 0, .end = 20, .through_ms = 5000}};
  EXPECT_EQ(CutOutcome::kCommitted, Commit(cut));
  cut = MakeCut(20, 30, 20, 20);
  cut.complete = {{.partition = 0, .end = 30, .through_ms = 4000}};
  EXPECT_EQ(CutOutcome::kCommitted, Commit(cut));
  EXPECT_EQ(5000, State().complete_through_ms);
}

TEST_F(CutCommitterTest, TheTimeOfAStoppedPartitionStandsStill) {
  EXPECT_EQ(CutOutcome::kCommitted, Commit(MakeCut(0, 20, std::nullopt)));
  EXPECT_EQ(CutOutcome::kCommitted, Commit(MakeStop(20)));
  Cut idle = MakeCut(0, 0, std::nullopt);
  idle.progress.clear();
  idle.complete = {{.partition = 0, .end = 20, .through_ms = 5000}};
  EXPECT_EQ(CutOutcome::kCommitted, Commit(idle));
  EXPECT_FALSE(State().complete_through_ms);
}

TEST_F(CutCommitterTest, AStopAloneIsACommitAndThenThePartitionTakesNoRows) {
  ASSERT_EQ(Commit(MakeCut(0, 10, std::nullopt)), CutOutcome::kCommitted);
  const Cut stop = MakeStop(10);
  const int64_t files = bronze_->snapshot()->file_count();
  EXPECT_EQ(Commit(stop), CutOutcome::kCommitted);
  EXPECT_EQ(State().stop.reason, tables::StopReason::kTruncated);
  EXPECT_EQ(bronze_->snapshot()->file_count(), files);
  EXPECT_EQ(Commit(MakeCut(10, 15, 10, 10)), CutOutcome::kFenced);
  EXPECT_EQ(Commit(stop), CutOutcome::kFenced) << "there is nothing to add";
  ExpectExactlyOnce(10);
}

TEST_F(CutCommitterTest, ALostReplyOfAStopIsNoFence) {
  ASSERT_EQ(Commit(MakeCut(0, 10, std::nullopt)), CutOutcome::kCommitted);
  const Cut stop = MakeStop(10);
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").LosesReply().Times(1);
  EXPECT_EQ(Commit(stop), CutOutcome::kCommitted);
}

TEST_F(CutCommitterTest, WhatWasReadBeforeALossWasAcceptedIsNotCommittedAfterIt) {
  ASSERT_EQ(Commit(MakeCut(0, 10, std::nullopt)), CutOutcome::kCommitted);
  Cut late = MakeCut(10, 15, 10, 10);
  lake::Changes accept;
  tables::PutAccepted(kTopicId, 0, 10, &accept.txns);
  ASSERT_EQ(
      lake::CommitOutcome::kCommitted,
      bronze_->Commit(lake::Unconditionally(accept), BootClock::now() + std::chrono::seconds{5})
          ->outcome);
  EXPECT_EQ(Commit(late), CutOutcome::kFenced);
  late.progress[0].accepted = 10;
  EXPECT_EQ(Commit(late), CutOutcome::kCommitted);
}

TEST_F(CutCommitterTest, RowsOfADeletedTopicAreNotCommittedUnderItsId) {
  topic_id_ = "another";
  EXPECT_EQ(Commit(MakeCut(0, 12, std::nullopt)), CutOutcome::kTopicChanged);
  EXPECT_TRUE(Offsets(tables::kBronzePath).empty());
}

TEST_F(CutCommitterTest, WhatIsAbandonedLeavesNoTrace) {
  abandoned_ = true;
  EXPECT_EQ(Commit(MakeCut(0, 12, std::nullopt)), CutOutcome::kAbandoned);
  EXPECT_TRUE(Offsets(tables::kBronzePath).empty());
  EXPECT_TRUE(Offsets(tables::kQuarantinePath).empty());
}

TEST_F(CutCommitterTest, ACutOlderThanHalfTheTablesRetentionIsReadAgain) {
  Cut cut = MakeCut(0, 12, std::nullopt);
  // This table lets another program's vacuum delete orphans after an hour.
  cut.sealed_at -= std::chrono::minutes{30} + std::chrono::seconds{1};
  EXPECT_EQ(Commit(cut), CutOutcome::kTooOld);
  EXPECT_TRUE(Offsets(tables::kBronzePath).empty());
  EXPECT_TRUE(Offsets(tables::kQuarantinePath).empty());
}

TEST_F(CutCommitterTest, PatienceEndsWithWordsThatNameTheStep) {
  options_.patience.give_up_after = Millis{50};
  store_.On(Operation::kPut, ".parquet").FailsBefore().Always();
  EXPECT_EQ(Commit(MakeCut(0, 12, std::nullopt)), CutOutcome::kAbandoned);
  EXPECT_THAT(last_error_.message(), HasSubstr("Gave up trying to write data files"));
}

TEST_F(CutCommitterTest, RowsWithoutATxnAreNoticed) {
  EXPECT_EQ(Commit(MakeCut(1, 4, std::nullopt)), CutOutcome::kCommitted);
  // The same rows in a table whose log records no progress.
  lake::Changes copy;
  copy.adds = bronze_->snapshot()->Files();
  copy.written_since = BootClock::now();
  simulate::FaultyStore& store = store_;
  lake::TableSpec spec = layout_->table;
  spec.path = "copy";
  auto bare = *lake::Table::OpenOrCreate(&store, spec);
  for (DataFile& file : copy.adds) {
    auto content = *store.Get(std::string(tables::kBronzePath) + "/" + file.path);
    ASSERT_TRUE(store.Put("copy/" + file.path, *content).ok());
  }
  ASSERT_TRUE(
      bare->Commit(lake::Unconditionally(copy), BootClock::now() + std::chrono::seconds{5}).ok());
  TopicSpans both{.id = kTopicId, .spans = {}};
  for (int32_t partition : {0, 1}) both.spans.emplace(partition, kafka::OffsetSpan{0, 100});
  auto starts = *FindStartPositions(bare.get(), quarantine_.get(), nullptr, both);
  EXPECT_EQ(starts[0].verdict, StartPosition::Verdict::kRowsWithoutTxn);
  EXPECT_EQ(starts[1].verdict, StartPosition::Verdict::kRead) << "no rows of partition 1";
}

}  // namespace
}  // namespace shopstream::ingest
