#include "console/freshness.h"

#include <gtest/gtest.h>

#include <string>

#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::console {
namespace {

// A commit after which partition 0 is at `next`, whose last record has this timestamp.
lake::VersionRecord Commit(int64_t version, int64_t at_ms, int64_t next, int64_t timestamp_ms) {
  lake::VersionRecord record;
  record.version = version;
  record.timestamp_ms = at_ms;
  record.txns[tables::ProgressAppId("topic", 0)] = next;
  tables::Position position;
  position.last = tables::LastRecord{
      .offset = next - 1, .leader_epoch = 1, .timestamp_ms = timestamp_ms, .hash = 7};
  tables::Put("topic", 0, position, &record.txns);
  return record;
}

TEST(FreshnessTest, OneRecordPerCommitIsExact) {
  const auto found = EstimateFreshness(
      {Commit(2, 12'500, 12, 12'000), Commit(1, 11'250, 11, 11'000), Commit(0, 0, 10, 0)}, 0);
  EXPECT_DOUBLE_EQ(0.25, found.p50_seconds.value());
  EXPECT_DOUBLE_EQ(0.5, found.p99_seconds.value());
}

TEST(FreshnessTest, RecordsOfACommitAreEvenlySpaced) {
  // Ten records at 10.1 s, 10.2 s, ... 11 s, committed at 11 s.
  const auto found =
      EstimateFreshness({Commit(1, 11'000, 110, 11'000), Commit(0, 10'000, 100, 10'000)}, 0);
  EXPECT_NEAR(0.4, found.p50_seconds.value(), 1e-9);
  EXPECT_NEAR(0.9, found.p99_seconds.value(), 1e-9);
}

TEST(FreshnessTest, CommitsBeforeTheSpanDoNotCount) {
  const auto found = EstimateFreshness(
      {Commit(2, 20'100, 120, 20'000), Commit(1, 19'000, 119, 10'000), Commit(0, 0, 110, 0)},
      20'000);
  EXPECT_NEAR(0.1, found.p99_seconds.value(), 1e-9);
}

TEST(FreshnessTest, IsUnknownWithoutRecords) {
  EXPECT_FALSE(EstimateFreshness({}, 0).p50_seconds.has_value());
  EXPECT_FALSE(EstimateFreshness({Commit(0, 10'000, 100, 10'000)}, 0).p99_seconds.has_value());
  // A commit that moves no partition, such as a compaction.
  lake::VersionRecord compaction;
  compaction.version = 1;
  compaction.timestamp_ms = 11'000;
  EXPECT_FALSE(
      EstimateFreshness({compaction, Commit(0, 10'000, 100, 10'000)}, 0).p99_seconds.has_value());
}

}  // namespace
}  // namespace shopstream::console
