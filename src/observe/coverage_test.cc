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

TEST_F(CoverageTest, WhatAnAdoptedMirrorHasFromTheEarlierTopicIsNotMissing) {
  Kafka(20, 30);
  Bronze(20, 25);
  coverage_.AddCovered(25);
  Bronze(26, 30);
  CoverageBounds bounds{0, 30, 30, false, tables::EmptyOffsets{20, 30}};
  bounds.covered_below = 20;
  EXPECT_THAT(Compare(bounds), IsEmpty());
  coverage_.AddBronze(12);
  coverage_.AddBronze(25);
  EXPECT_THAT(Compare(bounds), ElementsAre(Found(Difference::kTwiceInBronze, 25, 26),
                                           Found(Difference::kTwiceInBronze, 12, 13)))
      << "the copy, and below the seam";
}

TEST_F(CoverageTest, AnErasedRowIsNotMissingAndMustNotBeThere) {
  Kafka(0, 10);
  Bronze(0, 4);
  for (int64_t offset = 4; offset < 8; ++offset) coverage_.AddErasedFromBronze(offset);
  Quarantine(8, 9);
  coverage_.AddErasedFromQuarantine(9);
  EXPECT_THAT(Compare({0, 10, 10}), IsEmpty());
  EXPECT_THAT(Compare({10, 10, 10, false, tables::EmptyOffsets{0, 10}}), IsEmpty())
      << "Kafka has deleted all of them";
  EXPECT_EQ(5, coverage_.erased_rows());
  EXPECT_EQ(4, coverage_.bronze_rows());
  Bronze(5, 6);
  Quarantine(9, 10);
  EXPECT_THAT(Compare({0, 10, 10}), ElementsAre(Found(Difference::kTwiceInBronze, 5, 6),
                                                Found(Difference::kTwiceInQuarantine, 9, 10)));
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

TEST_F(CoverageTest, WhatHeldNoRecordIsNotExpired) {
  Kafka(80, 99);
  Bronze(0, 20);
  Bronze(30, 78);
  Bronze(80, 99);
  tables::EmptyOffsets empty{0, 100};
  for (const auto& [begin, end] : {std::pair{20, 30}, {78, 80}, {99, 100}}) empty.Skip(begin, end);
  EXPECT_THAT(Compare({80, 100, 100, false, empty}), IsEmpty());
  EXPECT_THAT(Compare({100, 100, 100, false, empty}), IsEmpty()) << "all of it expired";
  EXPECT_THAT(Compare({30, 100, 100, false, empty}),
              testing::Contains(Found(Difference::kNotInKafka, 30, 78)))
      << "above the log start Kafka is compared";
  empty.to = 99;
  EXPECT_THAT(Compare({80, 100, 100, false, empty}),
              ElementsAre(Found(Difference::kExpired, 20, 30), Found(Difference::kExpired, 78, 80)))
      << "a ledger that does not reach to the txn says nothing";
}

TEST_F(CoverageTest, ARowThatVanishesIsNamed) {
  Bronze(0, 20);
  Bronze(30, 50);
  Bronze(51, 80);
  tables::EmptyOffsets empty{0, 80};
  empty.Skip(20, 30);
  EXPECT_THAT(Compare({80, 80, 80, false, empty}),
              ElementsAre(Found(Difference::kVanished, 50, 51)));
}

TEST_F(CoverageTest, RowsThatVanishAreInOneOfTheHolesBelowTheLogStart) {
  Kafka(80, 90);
  Bronze(0, 20);
  Bronze(30, 50);
  Bronze(52, 90);
  tables::EmptyOffsets empty{0, 95};
  empty.Skip(20, 30);
  empty.Skip(90, 95);
  EXPECT_THAT(
      Compare({80, 95, 95, false, empty}),
      ElementsAre(Found(Difference::kVanished, 20, 30), Found(Difference::kVanished, 50, 52)));
}

TEST_F(CoverageTest, ARowThatVanishesAboveTheLogStartIsMissing) {
  Kafka(0, 80);
  Bronze(0, 50);
  Bronze(51, 80);
  EXPECT_THAT(Compare({0, 80, 80, false, tables::EmptyOffsets{0, 80}}),
              ElementsAre(Found(Difference::kMissing, 50, 51)));
}

TEST_F(CoverageTest, ARecordThatExpiredDuringTheAuditDoesNotHideItsRow) {
  Kafka(40, 80);
  Bronze(0, 50);
  Bronze(51, 80);
  EXPECT_THAT(Compare({60, 80, 80, false, tables::EmptyOffsets{0, 80}}),
              ElementsAre(Found(Difference::kVanished, 50, 51)));
}

TEST_F(CoverageTest, ARowWhereNoRecordWas) {
  Bronze(0, 80);
  tables::EmptyOffsets empty{0, 80};
  empty.Skip(33, 34);
  EXPECT_THAT(Compare({80, 80, 80, false, empty}),
              ElementsAre(Found(Difference::kNotInKafka, 33, 34)));
  empty.Skip(40, 42);
  EXPECT_THAT(Compare({80, 80, 80, false, empty}),
              ElementsAre(Found(Difference::kNotInKafka, 0, 80)));
}

TEST_F(CoverageTest, LostRangesStayReported) {
  Bronze(0, 20);
  Bronze(30, 50);
  CoverageBounds bounds{50, 50, 50, false, tables::EmptyOffsets{0, 50}};
  bounds.lost = {{kPartition, 20, 28}, {kPartition, 25, 30}};
  EXPECT_THAT(Compare(bounds), ElementsAre(Found(Difference::kExpired, 20, 30)));
  bounds.empty.reset();
  EXPECT_THAT(Compare(bounds), ElementsAre(Found(Difference::kExpired, 20, 30)))
      << "also without a ledger, and once";
}

// Kafka's log was cut to 50 and written to again; the rows of [50, 80) are of the earlier records.
TEST_F(CoverageTest, AnAcceptedLossIsNotComparedWithKafka) {
  Kafka(0, 70);
  Bronze(0, 60);
  Bronze(65, 80);
  CoverageBounds bounds{0, 70, 80, false, tables::EmptyOffsets{0, 80}};
  coverage_.AddOtherContent(55);
  bounds.lost = {{kPartition, 50, 80}};
  EXPECT_THAT(Compare(bounds), ElementsAre(Found(Difference::kExpired, 50, 80)));
  bounds.lost.clear();
  EXPECT_THAT(Compare(bounds), testing::IsSupersetOf({Found(Difference::kMissing, 60, 65),
                                                      Found(Difference::kOtherContent, 55, 56),
                                                      Found(Difference::kBeyondKafka, 70, 80)}));
}

TEST_F(CoverageTest, AnEmptyPartitionThatExpired) {
  EXPECT_THAT(Compare({100, 100, 0, false, tables::EmptyOffsets{0, 0}}),
              ElementsAre(Found(Difference::kExpired, 0, 100)));
}

TEST_F(CoverageTest, ALedgerBeginsWhereTheEarlierProgramStopped) {
  Bronze(0, 10);
  Bronze(12, 40);
  Bronze(45, 60);
  tables::EmptyOffsets empty{30, 60};
  empty.Skip(40, 45);
  EXPECT_THAT(Compare({60, 60, 60, false, empty}),
              ElementsAre(Found(Difference::kExpired, 10, 12)));
}

TEST_F(CoverageTest, SparseOffsetsCostLittle) {
  const int64_t far = int64_t{1} << 60;
  Kafka(far, far + 3);
  Bronze(far, far + 3);
  coverage_.AddBronze(7);
  EXPECT_THAT(Compare({far, far + 3, far + 3}), ElementsAre(Found(Difference::kExpired, 8, far)));
  tables::EmptyOffsets empty{0, far + 3};
  empty.Skip(0, 7);
  empty.Skip(8, far);
  EXPECT_THAT(Compare({far, far + 3, far + 3, false, empty}), IsEmpty());
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

TEST_F(CoverageTest, TheLedgerFindsAnyRowThatVanishes) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    coverage_ = {};
    tables::EmptyOffsets empty{0, 500};
    const auto gone = static_cast<int64_t>(random() % 500);
    for (int64_t offset = 0; offset < 500; ++offset) {
      const bool record = offset == gone || random() % 4 != 0;
      if (!record) empty.Skip(offset, offset + 1);
      if (record && offset >= 300) coverage_.AddKafka(offset);
      if (record && offset != gone) coverage_.AddBronze(offset);
    }
    const Difference expected = gone < 300 ? Difference::kVanished : Difference::kMissing;
    EXPECT_THAT(Compare({300, 500, 500, false, empty}),
                ElementsAre(Found(expected, gone, gone + 1)))
        << seed;
  }
}

}  // namespace
}  // namespace shopstream::observe
