#include "ingest/assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "kafka/record_hash.h"
#include "simulate/kafka.h"
#include "simulate/memory_store.h"
#include "simulate/scheduler.h"
#include "tables/columns.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

using Client = Assignment::Client;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

class AssignmentTest : public ::testing::Test {
 protected:
  AssignmentTest() {
    for (int32_t partition = 0; partition < kafka_.partitions(); ++partition) {
      for (int i = 0; i < 90; ++i) kafka_.Produce(partition, "k", "v", 0, false);
    }
    // The topic's id is known from then on.
    EXPECT_TRUE(starts_.Find({0}).ok());
  }

  static StartPosition StartAt(int32_t partition, int64_t txn) {
    return testing::StartAfter(partition, txn, {.log_start = 0, .end = 90});
  }
  // The partitions, each at offset 40.
  void Begin(const std::vector<int32_t>& partitions) {
    std::vector<StartPosition> starts;
    for (int32_t partition : partitions) {
      assignment_.Add(partition);
      starts.push_back(StartAt(partition, 40));
    }
    ASSERT_TRUE(assignment_.Start(starts, Client::kAssigns, now_).ok());
  }
  std::string Examine(kafka::PollResult polled) { return *assignment_.Examine(&polled, now_); }
  void Pass(Millis time) {
    for (Millis left = time; left > Millis{0}; left -= kStep) {
      now_ += std::min(left, kStep);
      ASSERT_TRUE(assignment_.LookAfterUnread(now_).ok());
    }
  }

  static constexpr Millis kStep{5000};

  simulate::Chance chance_{1};
  simulate::Trace trace_;
  simulate::Scheduler scheduler_{&chance_, &trace_};
  simulate::SimulatedKafka kafka_{&scheduler_, "t", 3};
  const std::unique_ptr<kafka::TopicMetadata> topics_ = kafka_.OpenMetadata();
  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> bronze_ =
      *lake::Table::OpenOrCreate(&store_, testing::EventLayout()->table);
  std::unique_ptr<lake::Table> quarantine_ =
      *lake::Table::OpenOrCreate(&store_, tables::QuarantineSpec(tables::kQuarantinePath));
  StartFinder starts_{topics_.get(), "t", bronze_.get(), quarantine_.get(), nullptr};
  testing::NotingSource source_;
  IngestStats stats_;
  BootClock::time_point now_{std::chrono::seconds{1000}};
  Assignment assignment_{&starts_, &source_, &stats_};
  testing::Records records_;
};

TEST_F(AssignmentTest, WhatIsAssignedIsReadOnceItsStartIsKnown) {
  assignment_.Add(2);
  ASSERT_NE(nullptr, assignment_.Find(2));
  EXPECT_EQ(nullptr, assignment_.Find(1));
  EXPECT_FALSE(assignment_.Find(2)->Awaits(40));
  ASSERT_TRUE(assignment_.Start({StartAt(2, 40)}, Client::kAssigns, now_).ok());
  EXPECT_THAT(source_.assigned, ElementsAre(Pair(2, 40)));
  EXPECT_TRUE(assignment_.Find(2)->Awaits(40));
  assignment_.StopReading();
  EXPECT_FALSE(assignment_.Find(2)->Awaits(40));
  assignment_.Remove(2);
  EXPECT_TRUE(assignment_.empty());
}

TEST_F(AssignmentTest, WhatIsBeyondKafkasEndStaysPaused) {
  for (int32_t partition : {0, 1}) assignment_.Add(partition);
  ASSERT_TRUE(assignment_.Start({StartAt(0, 91), StartAt(1, 90)}, Client::kAssigns, now_).ok());
  EXPECT_THAT(source_.paused, ElementsAre(0));
  ASSERT_TRUE(assignment_.SetPaused(true).ok());
  ASSERT_TRUE(assignment_.SetPaused(false).ok());
  EXPECT_THAT(source_.paused, ElementsAre(0));
  EXPECT_THAT(assignment_.Stopped(), ElementsAre(0));
  Cut cut;
  assignment_.Seal(&cut);
  ASSERT_THAT(cut.stops, SizeIs(1));
  EXPECT_GT(cut.stops[0].stop.at_ms, 0);
}

TEST_F(AssignmentTest, ACutGetsTheRangesOfAllThatRead) {
  Begin({0, 1});
  assignment_.Find(1)->AdvanceTo(45);
  Cut cut;
  assignment_.Seal(&cut);
  ASSERT_THAT(cut.progress, SizeIs(1));
  EXPECT_EQ((OffsetRange{1, 40, 45}), cut.progress[0].range);
  Cut next;
  assignment_.Seal(&next);
  EXPECT_THAT(next.progress, IsEmpty());
}

TEST_F(AssignmentTest, WhatIsUnknownYetWaitsAlone) {
  for (int32_t partition : {0, 1}) assignment_.Add(partition);
  StartPosition unknown;
  unknown.verdict = StartPosition::Verdict::kUnknownYet;
  unknown.partition = 1;
  unknown.why = "it has no leader";
  ASSERT_TRUE(assignment_.Start({StartAt(0, 40), unknown}, Client::kAssigns, now_).ok());
  EXPECT_TRUE(assignment_.Find(0)->reading());
  EXPECT_FALSE(assignment_.Find(1)->reading());
  EXPECT_THAT(source_.paused, ElementsAre(1));
  EXPECT_EQ("it has no leader", assignment_.Missing()[1]);
  assignment_.Find(0)->AdvanceTo(45);
  Pass(Millis{30'000});  // Kafka answers now.
  EXPECT_TRUE(assignment_.Find(1)->reading());
  EXPECT_THAT(source_.restarted, ElementsAre(Pair(1, 0)));
  EXPECT_THAT(source_.paused, IsEmpty());
  EXPECT_NE("it has no leader", assignment_.Missing()[1]);
  EXPECT_EQ(45, assignment_.Find(0)->next()) << "nothing happened to the other";
}

TEST_F(AssignmentTest, ACorruptBatchHoldsItsPartitionAloneAndIsTriedAgain) {
  Begin({0, 1});
  assignment_.Find(0)->AdvanceTo(50);
  kafka::PollResult polled;
  polled.corrupt = {{.partition = 0, .offset = 50, .reason = "bad checksum"}};
  EXPECT_EQ("", Examine(std::move(polled)));
  EXPECT_FALSE(assignment_.Find(0)->reading());
  EXPECT_TRUE(assignment_.Find(1)->reading());
  EXPECT_THAT(source_.paused, ElementsAre(0));
  EXPECT_THAT(assignment_.Stopped(), IsEmpty()) << "another leader may have it intact";
  EXPECT_THAT(assignment_.Missing()[0], HasSubstr("bad checksum"));
  Cut cut;
  assignment_.Seal(&cut);
  EXPECT_EQ((OffsetRange{0, 40, 50}), cut.progress.at(0).range);
  EXPECT_THAT(cut.stops, IsEmpty());

  Pass(Millis{59'000});
  EXPECT_THAT(source_.restarted, IsEmpty());
  Pass(Millis{5000});
  EXPECT_THAT(source_.restarted, ElementsAre(Pair(0, 50)));
  EXPECT_TRUE(assignment_.Find(0)->Awaits(50));
  EXPECT_THAT(assignment_.Missing()[0], HasSubstr("bad checksum")) << "until something arrives";
  kafka::PollResult arrived;
  arrived.batch.records.push_back(records_.Make(0, 50, "x"));
  Examine(std::move(arrived));
  EXPECT_THAT(assignment_.Missing()[0], Not(HasSubstr("bad checksum")));
}

TEST_F(AssignmentTest, APartitionOfWhichNothingArrivesIsHeld) {
  Begin({0});
  source_.cached_end = 90;
  Pass(Millis{30'000});
  kafka::PollResult arrived;
  arrived.batch.records.push_back(records_.Make(0, 40, "x"));
  Examine(std::move(arrived));
  Pass(Millis{40'000});
  EXPECT_TRUE(assignment_.Find(0)->reading());
  Pass(Millis{25'000});
  EXPECT_FALSE(assignment_.Find(0)->reading());
  EXPECT_THAT(assignment_.Missing(), ElementsAre(Pair(0, ::testing::HasSubstr("nothing arrives"))));
}

TEST_F(AssignmentTest, WhatKafkaHasNoMoreOfIsNotHeld) {
  assignment_.Add(0);
  ASSERT_TRUE(assignment_.Start({StartAt(0, 90)}, Client::kAssigns, now_).ok());
  source_.cached_end = 95;  // An open transaction, which nobody reads.
  Pass(Millis{61'000});
  Pass(Millis{61'000});
  EXPECT_TRUE(assignment_.Find(0)->reading());
}

TEST_F(AssignmentTest, ACheckThatLetTheClientSeekIsNotPausedBeforeItsVerdict) {
  StartPosition start = StartAt(0, 50);
  kafka::RecordView last = records_.Make(0, 40, "x");
  start.position.last = {.offset = 40,
                         .leader_epoch = 0,
                         .timestamp_ms = last.timestamp_ms,
                         .hash = kafka::ContentHash(last)};
  start.position.end_epoch = 0;
  assignment_.Add(0);
  ASSERT_TRUE(assignment_.Start({start}, Client::kAssigns, now_).ok());
  EXPECT_THAT(source_.assigned, ElementsAre(Pair(0, 40)));
  kafka::PollResult polled;
  polled.batch.records = {last};
  Examine(std::move(polled));
  EXPECT_THAT(source_.validated, ElementsAre(0));
  ASSERT_TRUE(assignment_.SetPaused(true).ok());
  EXPECT_THAT(source_.paused, IsEmpty());
  kafka::PollResult valid;
  valid.ends = {{0, 90}};
  Examine(std::move(valid));
  EXPECT_THAT(source_.paused, ElementsAre(0));
}

TEST_F(AssignmentTest, ATruncationOrAnOffsetOutOfRangeIsAReasonToStartAnew) {
  Begin({0, 1});
  kafka::PollResult truncated;
  truncated.truncated = {1};
  EXPECT_THAT(Examine(std::move(truncated)), HasSubstr("partition 1 was cut"));
  kafka::PollResult of_none;
  of_none.truncated = {2};
  of_none.out_of_range = {2};
  EXPECT_EQ("", Examine(std::move(of_none)));
}

TEST_F(AssignmentTest, AFallingEpochIsAReasonOnce) {
  Begin({0});
  kafka::RecordView record = records_.Make(0, 40, "x");
  record.leader_epoch = 5;
  assignment_.Find(0)->Take(record);
  kafka::RecordView next = records_.Make(0, 41, "x");
  next.leader_epoch = 4;
  EXPECT_TRUE(assignment_.IsReplaced(*assignment_.Find(0), next));
  EXPECT_FALSE(assignment_.IsReplaced(*assignment_.Find(0), next)) << "so it is";
  next.leader_epoch = 5;
  EXPECT_FALSE(assignment_.IsReplaced(*assignment_.Find(0), next));
}

}  // namespace
}  // namespace shopstream::ingest
