#include "observe/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace shopstream::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int32_t kPartition = 2;

Finding Found(Difference difference, int64_t begin, int64_t end) {
  return {difference, {kPartition, begin, end}};
}

class CoverageTest : public testing::Test {
 protected:
  void Bronze(int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) coverage_.AddBronze(o);
  }
  void Quarantine(int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) coverage_.AddQuarantine(o);
  }
  void Kafka(int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) coverage_.AddKafka(o);
  }
  std::vector<Finding> Compare(const CoverageBounds& bounds) {
    std::vector<Finding> findings;
    coverage_.Compare(kPartition, bounds, [&](const Finding& f) { findings.push_back(f); });
    return findings;
  }

  PartitionCoverage coverage_;
};

TEST_F(CoverageTest, EveryRecordOnceIsClean) {
  Kafka(0, 200'000);
  Bronze(0, 150'000);
  Quarantine(150'000, 150'100);
  Bronze(150'100, 200'000);
  EXPECT_THAT(Compare({0, 250'000, 200'000}), IsEmpty());
  EXPECT_EQ(199'900, coverage_.bronze_rows());
  EXPECT_EQ(100, coverage_.quarantine_rows());
}

TEST_F(CoverageTest, AReplayedRecordIsInBothAndOnlyIt) {
  Kafka(0, 10);
  Bronze(0, 8);
  Quarantine(5, 10);
  for (const int64_t offset : {5, 6}) coverage_.AddReplayed(offset);
  EXPECT_THAT(Compare({0, 10, 10}), ElementsAre(Found(Difference::kInBoth, 7, 8)));
  coverage_.AddReplayed(9);
  EXPECT_THAT(Compare({0, 10, 10}),
              ElementsAre(Found(Difference::kInBoth, 7, 8), Found(Difference::kMissing, 9, 10)))
      << "said to be replayed, and not in Bronze";
  coverage_.AddBronze(5);
  EXPECT_THAT(Compare({0, 10, 10}), testing::Contains(Found(Difference::kTwiceInBronze, 5, 6)));
}

TEST_F(CoverageTest, NothingAnywhereIsClean) {
  EXPECT_THAT(Compare({0, 0, std::nullopt}), IsEmpty());
  EXPECT_THAT(Compare({0, 100, std::nullopt}), IsEmpty()) << "never ingested";
  EXPECT_THAT(Compare({}), IsEmpty());
}

TEST_F(CoverageTest, GapsAreRangesAcrossWordsAndPages) {
  Kafka(0, 200'000);
  Bronze(0, 10);
  Bronze(11, 60);
  Bronze(140'000, 200'000);
  EXPECT_THAT(
      Compare({0, 200'000, 200'000}),
      ElementsAre(Found(Difference::kMissing, 10, 11), Found(Difference::kMissing, 60, 140'000)));
}

TEST_F(CoverageTest, WhatKafkaSkipsIsNoGap) {
  Kafka(0, 100);
  Kafka(101, 200);  // 100 is a transaction marker.
  Bronze(0, 100);
  Bronze(101, 200);
  EXPECT_THAT(Compare({0, 201, 201}), IsEmpty());
}

TEST_F(CoverageTest, RecordsNotReadYetAreNoGap) {
  Kafka(0, 128);
  Bronze(0, 64);
  EXPECT_THAT(Compare({0, 128, 64}), IsEmpty());
}

TEST_F(CoverageTest, DoublesInOneTableOrBoth) {
  Kafka(0, 100);
  Bronze(0, 100);
  Bronze(20, 30);
  Bronze(20, 21);  // A third row is the same duplicate.
  Quarantine(63, 65);
  Quarantine(64, 65);
  EXPECT_THAT(Compare({0, 100, 100}), ElementsAre(Found(Difference::kTwiceInBronze, 20, 30),
                                                  Found(Difference::kTwiceInQuarantine, 64, 65),
                                                  Found(Difference::kInBoth, 63, 65)));
}

TEST_F(CoverageTest, RowsWithoutARecordInKafka) {
  Kafka(0, 99);
  Bronze(0, 100);
  EXPECT_THAT(Compare({0, 100, 100}), ElementsAre(Found(Difference::kNotInKafka, 99, 100)));
  EXPECT_THAT(Compare({0, 100, 100, /*compacted=*/true}), IsEmpty());
}

TEST_F(CoverageTest, RowsBeyondTheProgress) {
  Kafka(0, 100);
  Bronze(0, 60);
  Quarantine(60, 65);
  EXPECT_THAT(Compare({0, 100, 50}), ElementsAre(Found(Difference::kBeyondProgress, 50, 60)))
      << "quarantine is committed before Bronze, so its rows may be ahead";
  EXPECT_THAT(Compare({0, 100, std::nullopt}),
              ElementsAre(Found(Difference::kBeyondProgress, 0, 60)));
}

TEST_F(CoverageTest, BelowTheLogStartTheLakeStandsAlone) {
  Kafka(80, 100);
  Bronze(5, 20);  // The lake began at 5.
  Bronze(30, 100);
  EXPECT_THAT(Compare({80, 100, 100}), ElementsAre(Found(Difference::kExpired, 20, 30)));
}

TEST_F(CoverageTest, AHoleUpToTheLogStart) {
  Kafka(80, 100);
  Bronze(5, 20);
  Bronze(80, 100);
  EXPECT_THAT(Compare({80, 100, 100}), ElementsAre(Found(Difference::kExpired, 20, 80)));
}

TEST_F(CoverageTest, RecordsExpiredBeforeTheyWereRead) {
  Kafka(80, 100);
  Bronze(0, 50);
  EXPECT_THAT(Compare({80, 100, 50}), ElementsAre(Found(Difference::kExpired, 50, 80)));
}

TEST_F(CoverageTest, ProgressBeyondKafka) {
  Kafka(0, 90);
  Bronze(0, 100);
  EXPECT_THAT(Compare({0, 90, 100}), ElementsAre(Found(Difference::kBeyondKafka, 90, 100)));
}

TEST_F(CoverageTest, AnEarlierIncarnationOfTheTopicHasOnlyDoubles) {
  Bronze(0, 50);
  Bronze(49, 60);
  EXPECT_THAT(Compare({std::nullopt, std::nullopt, 60}),
              ElementsAre(Found(Difference::kTwiceInBronze, 49, 50)));
}

TEST_F(CoverageTest, SparseOffsetsCostLittle) {
  const int64_t far = int64_t{1} << 60;
  Kafka(far, far + 3);
  Bronze(far, far + 3);
  coverage_.AddBronze(7);
  EXPECT_THAT(Compare({far, far + 3, far + 3}), ElementsAre(Found(Difference::kExpired, 8, far)));
}

// What Compare must report for one offset between log start 1000 and txn 2500, in the wording of
// the rules.
std::set<Difference> Expected(int64_t offset, bool kafka, int bronze, int quarantine) {
  std::set<Difference> expected;
  const bool in_lake = bronze + quarantine > 0;
  if (bronze > 1) expected.insert(Difference::kTwiceInBronze);
  if (quarantine > 1) expected.insert(Difference::kTwiceInQuarantine);
  if (bronze > 0 && quarantine > 0) expected.insert(Difference::kInBoth);
  if (bronze > 0 && offset >= 2500) expected.insert(Difference::kBeyondProgress);
  if (offset < 1000 && !in_lake) expected.insert(Difference::kExpired);
  if (offset >= 1000 && offset < 2500 && kafka && !in_lake) expected.insert(Difference::kMissing);
  if (offset >= 1000 && offset < 2500 && !kafka && in_lake)
    expected.insert(Difference::kNotInKafka);
  return expected;
}

TEST_F(CoverageTest, AgreesWithTheRulesOnRandomSets) {
  std::mt19937 random(42);
  std::map<int64_t, std::set<Difference>> expected, seen;
  coverage_.AddBronze(0);  // The lake begins at 0.
  for (int64_t offset = 1; offset < 3000; ++offset) {
    const bool kafka = random() % 8 != 0;
    const int bronze = static_cast<int>(std::min<uint32_t>(random() % 8, 2));
    const int quarantine = static_cast<int>(std::max<uint32_t>(random() % 16, 13) - 13);
    if (kafka) coverage_.AddKafka(offset);
    for (int i = 0; i < bronze; ++i) coverage_.AddBronze(offset);
    for (int i = 0; i < quarantine; ++i) coverage_.AddQuarantine(offset);
    if (auto found = Expected(offset, kafka, bronze, quarantine); !found.empty()) {
      expected[offset] = std::move(found);
    }
  }
  for (const Finding& f : Compare({1000, 2900, 2500})) {
    for (int64_t o = f.range.begin; o < f.range.end; ++o) seen[o].insert(f.difference);
  }
  EXPECT_EQ(expected, seen);
}

}  // namespace
}  // namespace shopstream::observe
