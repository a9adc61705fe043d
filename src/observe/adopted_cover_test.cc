#include "observe/adopted_cover.h"

#include <gtest/gtest.h>

#include <vector>

#include "model/calendar.h"
#include "tables/progress.h"

namespace shopstream::observe {
namespace {

constexpr char kEarlierId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";
constexpr char kMirrorId[] = "AAAXY_6eQ4-J_Cb_JlBqbw";

// A mirror whose partition 0 continues at offset 100; its partition 1 was read from its beginning.
AdoptedCover Cover(int64_t rows = 10) {
  tables::Txns txns = {{tables::ProgressAppId(kEarlierId, 0), 500},
                       {tables::ProgressAppId(kMirrorId, 0), 120},
                       {tables::ProgressAppId(kMirrorId, 1), 120}};
  tables::Put(kMirrorId, 0, tables::Adoption{kEarlierId, 100, 500, {{105, 1}}}, &txns);
  return AdoptedCover(txns, kMirrorId, 2, rows);
}

std::vector<OffsetRange> Uncovered(const AdoptedCover& cover) {
  std::vector<OffsetRange> ranges;
  cover.ForEachUncovered(0, [&](const OffsetRange& range) { ranges.push_back(range); });
  return ranges;
}

TEST(AdoptedCover, EndsAtTheSeam) {
  AdoptedCover cover = Cover();
  cover.AddRow(kEarlierId, 0, 7'000);
  EXPECT_TRUE(cover.Takes(0, 99, 7));
  EXPECT_FALSE(cover.Takes(0, 100, 7));
  EXPECT_FALSE(cover.Takes(1, 0, 7));
  EXPECT_TRUE(Uncovered(cover).empty());
  EXPECT_EQ(500, cover.Find(0)->earlier_end);
  EXPECT_EQ(nullptr, cover.Find(1));
}

TEST(AdoptedCover, ARecordSentWhenNoEarlierRowWasIsNotCovered) {
  AdoptedCover cover = Cover();
  cover.AddRow(kEarlierId, 0, 7'000);
  cover.AddRow(kEarlierId, 1, 8'000);
  cover.AddRow(kMirrorId, 0, 9'000);
  for (const int64_t offset : {3, 4, 8}) EXPECT_TRUE(cover.Takes(0, offset, 9));
  EXPECT_TRUE(cover.Takes(0, 9, 7));
  EXPECT_EQ((std::vector<OffsetRange>{{0, 3, 5}, {0, 8, 9}}), Uncovered(cover));
}

TEST(AdoptedCover, ErasedRowsExplainAsManyRecords) {
  AdoptedCover cover = Cover();
  cover.AddErased(kEarlierId, 0, 2);
  cover.AddErased(kMirrorId, 0, 5);
  cover.Takes(0, 1, 7);
  cover.Takes(0, 2, 7);
  EXPECT_TRUE(Uncovered(cover).empty());
  cover.Takes(0, 3, 7);
  EXPECT_EQ((std::vector<OffsetRange>{{0, 1, 4}}), Uncovered(cover));
}

TEST(AdoptedCover, WhatIsComparedAndMissingIsCountedAlsoIfErasedRowsExplainIt) {
  AdoptedCover cover = Cover();
  cover.AddErased(kEarlierId, 0, 2);
  cover.AddRow(kEarlierId, 0, 9'000);
  for (const int64_t offset : {1, 2}) cover.Takes(0, offset, 7);
  cover.Takes(0, 3, 9);
  cover.Takes(0, 4, kNoTimestamp);
  cover.Takes(0, 100, 9);
  const CoveredRecords count = cover.Count(0);
  EXPECT_EQ(4, count.records);
  EXPECT_EQ(3, count.compared);
  EXPECT_EQ(2, count.missing);
  EXPECT_TRUE(count.erased);
  EXPECT_EQ(0, cover.Count(1).records);
}

// A fiftieth of the missing records is in the sample.
TEST(AdoptedCover, ErasedRowsExplainNoMoreMissingRecordsOfASampleThanOfAll) {
  const auto is_explained = [](int64_t erased) {
    AdoptedCover cover = Cover(50'000'000);
    cover.AddErased(kEarlierId, 0, erased);
    for (int64_t sent = 0; sent < 100'000; ++sent) cover.Takes(0, 60, sent);
    EXPECT_NEAR(2'000, static_cast<double>(cover.Count(0).missing), 200);
    EXPECT_EQ(cover.Count(0).erased, Uncovered(cover).empty());
    return cover.Count(0).erased;
  };
  EXPECT_TRUE(is_explained(110'000));
  EXPECT_FALSE(is_explained(50'000)) << "fifty thousand are more than two thousand";
  EXPECT_FALSE(is_explained(0));
}

TEST(AdoptedCover, MissingRecordsAreCountedBeyondThoseThatAreListed) {
  tables::Txns txns = {{tables::ProgressAppId(kEarlierId, 0), 500},
                       {tables::ProgressAppId(kMirrorId, 0), 120}};
  tables::Put(kMirrorId, 0, tables::Adoption{kEarlierId, 1'000'000, 500, {}}, &txns);
  AdoptedCover cover(txns, kMirrorId, 1, 10);
  cover.AddErased(kEarlierId, 0, 150'000);
  for (int64_t offset = 0; offset < 150'001; ++offset) cover.Takes(0, offset, 7);
  EXPECT_EQ(150'001, cover.Count(0).missing);
  EXPECT_FALSE(cover.Count(0).erased);
  EXPECT_EQ((std::vector<OffsetRange>{{0, 0, 100'000}}), Uncovered(cover));
}

TEST(AdoptedCover, OfManyRowsASampleIsCompared) {
  AdoptedCover cover = Cover(50'000'000);
  for (int64_t sent = 0; sent < 10'000; sent += 2) cover.AddRow(kEarlierId, 0, sent * 1'000);
  for (int64_t offset = 0; offset < 50; ++offset) cover.Takes(0, offset, offset * 2);
  EXPECT_TRUE(Uncovered(cover).empty());
  for (int64_t sent = 1; sent < 10'000; sent += 2) cover.Takes(0, 60, sent);
  EXPECT_EQ(1, Uncovered(cover).size());
}

}  // namespace
}  // namespace shopstream::observe
