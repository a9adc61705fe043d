#include "ingest/cut_policy.h"

#include <gtest/gtest.h>

namespace shopstream::ingest {
namespace {

using std::chrono::seconds;

class CutPolicyTest : public testing::Test {
 protected:
  // The cut due `after` the last one, if the first record since then came at `first`.
  std::optional<CutReason> Due(int64_t rows, BootClock::duration after,
                               std::optional<BootClock::duration> first = seconds{0},
                               int64_t bytes = 1) {
    Filling filling{
        .fullest_value_rows = rows, .bytes = bytes, .open_partitions = 0, .since = std::nullopt};
    if (first) filling.since = start_ + *first;
    return DueCut(filling, limits_, start_, start_ + after);
  }

  CutLimits limits_{.batch_size = 50,
                    .commit_interval = Millis{1000},
                    .batch_timeout = Millis{30000},
                    .filling_bytes = 1000,
                    .open_partitions = 500};
  BootClock::time_point start_{seconds{1000}};
};

TEST_F(CutPolicyTest, AFullRegionWaitsForTheCommitInterval) {
  EXPECT_EQ(Due(50, Millis{999}), std::nullopt);
  EXPECT_EQ(Due(50, Millis{1000}), CutReason::kSize);
  EXPECT_EQ(Due(49, Millis{1000}), std::nullopt);
}

TEST_F(CutPolicyTest, NoRowWaitsLongerThanTheTimeoutEvenWithoutTraffic) {
  EXPECT_EQ(Due(1, seconds{29}), std::nullopt);
  EXPECT_EQ(Due(1, seconds{30}), CutReason::kAge);
  EXPECT_EQ(Due(1, seconds{34}, seconds{5}), std::nullopt);
  EXPECT_EQ(Due(1, seconds{35}, seconds{5}), CutReason::kAge);
}

TEST_F(CutPolicyTest, OffsetsWithoutRowsAreCutByAgeToo) {
  EXPECT_EQ(Due(0, seconds{30}), CutReason::kAge);
}

TEST_F(CutPolicyTest, MemoryDoesNotWaitForTheInterval) {
  EXPECT_EQ(Due(1, Millis{1}, seconds{0}, 999), std::nullopt);
  EXPECT_EQ(Due(1, Millis{1}, seconds{0}, 1000), CutReason::kMemory);
}

TEST_F(CutPolicyTest, AsManyPartitionsAsAreAllowedDoNotWait) {
  Filling filling{.fullest_value_rows = 1, .bytes = 1, .open_partitions = 499, .since = start_};
  EXPECT_EQ(DueCut(filling, limits_, start_, start_), std::nullopt);
  filling.open_partitions = 500;
  EXPECT_EQ(DueCut(filling, limits_, start_, start_), CutReason::kPartitions);
  EXPECT_STREQ(Name(CutReason::kPartitions), "partitions");
}

TEST_F(CutPolicyTest, NothingReadNothingCut) {
  EXPECT_EQ(Due(0, seconds{3600}, std::nullopt, 5000), std::nullopt);
}

TEST_F(CutPolicyTest, ANoticeWaitsForTheFirstRecordsButNotLong) {
  const auto due = [&](BootClock::duration after, int64_t rows) {
    Filling filling{.fullest_value_rows = rows,
                    .bytes = 1,
                    .open_partitions = 0,
                    .since = rows > 0 ? std::optional(start_) : std::nullopt,
                    .notice_since = start_};
    return DueCut(filling, limits_, start_, start_ + after);
  };
  EXPECT_EQ(due(Millis{999}, 0), std::nullopt);
  EXPECT_EQ(due(Millis{1000}, 0), CutReason::kNotice);
  EXPECT_EQ(due(Millis{1000}, 1), CutReason::kNotice);
  EXPECT_EQ(due(Millis{1000}, 50), CutReason::kSize);
}

TEST_F(CutPolicyTest, AnAdvanceWithoutRecordsIsCutOnceAMinute) {
  const auto due = [&](BootClock::duration after, bool advances, bool read) {
    Filling filling;
    filling.advances = advances;
    if (read) filling.since = start_ + after;
    return DueCut(filling, limits_, start_, start_ + after);
  };
  EXPECT_EQ(due(seconds{59}, true, false), std::nullopt);
  EXPECT_EQ(due(seconds{60}, true, false), CutReason::kHeartbeat);
  EXPECT_EQ(due(seconds{3600}, false, false), std::nullopt);
  EXPECT_EQ(due(seconds{60}, true, true), std::nullopt) << "the cut of the records has the time";
  EXPECT_STREQ(Name(CutReason::kHeartbeat), "heartbeat");
}

}  // namespace
}  // namespace shopstream::ingest
