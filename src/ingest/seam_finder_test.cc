#include "ingest/seam_finder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace shopstream::ingest {
namespace {

using SeamVerdict = SeamFinder::Verdict;

constexpr int64_t kNoon = 1'761'307'200'000;

// The record with this number; records with the same number are equal.
SeamContent SeamContentOf(int64_t number, int64_t per_millisecond = 10) {
  return {.timestamp_ms = kNoon + number / per_millisecond,
          .record = 1'000 + number,
          .row = 0,
          .headers = 0};
}

// Offsets of the earlier topic are ten times the numbers.
std::vector<SeamRow> SeamRows(int64_t begin, int64_t end) {
  std::vector<SeamRow> rows;
  for (int64_t number = begin; number < end; ++number) {
    rows.push_back({.offset = number * 10, .content = SeamContentOf(number), .erased = false});
  }
  return rows;
}

// RecordNumbers of the mirror's records, at consecutive offsets from `from` on.
using RecordNumbers = std::vector<int64_t>;
RecordNumbers CountUp(int64_t begin, int64_t end) {
  RecordNumbers numbers;
  for (int64_t number = begin; number < end; ++number) numbers.push_back(number);
  return numbers;
}
RecordNumbers operator+(RecordNumbers one, const RecordNumbers& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

struct SeamAnswer {
  SeamVerdict verdict;
  Seam seam;
};

SeamAnswer FindSeam(std::vector<SeamRow> rows, bool complete, const RecordNumbers& mirror,
                    int64_t from = 0, bool from_start = true) {
  SeamFinder finder(std::move(rows), complete, from, from_start);
  int64_t offset = from;
  for (const int64_t number : mirror) {
    finder.Add({.offset = offset++, .content = SeamContentOf(number)});
  }
  SeamAnswer answer{};
  answer.verdict = finder.Finish(&answer.seam);
  return answer;
}

TEST(SeamFinder, TheSeamFollowsTheCopyOfTheLastRow) {
  const SeamAnswer answer = FindSeam(SeamRows(100, 200), false, CountUp(50, 230), 1'000);
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(1'150, answer.seam.below);
  EXPECT_EQ(100, answer.seam.compared);
  EXPECT_EQ(1'149, answer.seam.last->offset);
  EXPECT_TRUE(answer.seam.copies.empty());
}

TEST(SeamFinder, AMirrorThatEndsWithTheLastRowContinuesAfterIt) {
  const SeamAnswer answer = FindSeam(SeamRows(0, 50), true, CountUp(0, 50));
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(50, answer.seam.below);
}

TEST(SeamFinder, AFewRowsAreCompleteEvidenceIfTheyAreAll) {
  const SeamAnswer answer = FindSeam(SeamRows(0, 3), true, CountUp(0, 5));
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(3, answer.seam.below);
}

TEST(SeamFinder, WithoutAnyRowEverythingIsNew) {
  const SeamAnswer answer = FindSeam({}, true, CountUp(0, 5), 7);
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(7, answer.seam.below);
  EXPECT_FALSE(answer.seam.last);
}

TEST(SeamFinder, AFewRowsOfManyProveNothing) {
  EXPECT_EQ(SeamVerdict::kNoAnchor, FindSeam(SeamRows(100, 110), false, CountUp(0, 110)).verdict);
}

TEST(SeamFinder, TheLakeMayBeAhead) {
  const SeamAnswer answer = FindSeam(SeamRows(0, 100), false, CountUp(0, 90));
  EXPECT_EQ(SeamVerdict::kAhead, answer.verdict);
  EXPECT_EQ(90, answer.seam.below);
  EXPECT_EQ(10, answer.seam.ahead);
  EXPECT_EQ(0, answer.seam.absent);
}

TEST(SeamFinder, CopiesAmongNewRecordsAreNamed) {
  // 1,000 and later are new: producers write while the mirror still receives copies.
  const SeamAnswer answer = FindSeam(
      SeamRows(0, 40), false, CountUp(0, 36) + RecordNumbers{1'000, 36, 37, 1'001, 38, 39, 1'002});
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(36, answer.seam.below);
  ASSERT_EQ(4, answer.seam.copies.size());
  EXPECT_EQ(SeamContentOf(36).record, answer.seam.copies.at(37));
  EXPECT_EQ(SeamContentOf(39).record, answer.seam.copies.at(41));
}

TEST(SeamFinder, NewRecordsBeforeTheAnchorRefuteIt) {
  RecordNumbers interleaved;
  for (int64_t number = 0; number < 200; ++number) {
    interleaved.push_back(number);
    if (number % 20 == 0) interleaved.push_back(10'000 + number);
  }
  EXPECT_EQ(SeamVerdict::kNoAnchor, FindSeam(SeamRows(50, 200), false, interleaved).verdict);
}

TEST(SeamFinder, ANewRecordThatPrecedesTheAnchorRefutesItUntilTheRowsReachBelowIt) {
  const RecordNumbers mirror = CountUp(0, 1'500) + RecordNumbers{90'000} + CountUp(1'500, 2'101);
  EXPECT_EQ(SeamVerdict::kNoAnchor, FindSeam(SeamRows(2'000, 2'101), false, mirror).verdict);
  const SeamAnswer reaching = FindSeam(SeamRows(1'400, 2'101), false, mirror);
  EXPECT_EQ(SeamVerdict::kFound, reaching.verdict);
  EXPECT_EQ(1'500, reaching.seam.below);
  EXPECT_FALSE(reaching.seam.copies.contains(1'500)) << "it is read";
  EXPECT_EQ(601, reaching.seam.copies.size());
  EXPECT_EQ(1'500, FindSeam(SeamRows(0, 2'101), true, mirror).seam.below);
}

TEST(SeamFinder, ANewRecordBeforeTheAnchorIsKnownByItsTimeAlsoAmongThatOfTheRows) {
  // Not a row, and sent when the rows were.
  const int64_t number = 20'805;
  const auto content = SeamContentOf(number / 10);
  std::vector<SeamRow> rows = SeamRows(2'000, 2'101);
  const auto verdict = [&](int64_t before) {
    SeamFinder finder(rows, false, 0, true);
    for (int64_t offset = 0; offset < before; ++offset) {
      finder.Add({.offset = offset, .content = SeamContentOf(offset)});
    }
    SeamContent added = content;
    added.record = number;
    finder.Add({.offset = before, .content = added});
    for (int64_t offset = before; offset < 2'101; ++offset) {
      finder.Add({.offset = offset + 1, .content = SeamContentOf(offset)});
    }
    Seam seam;
    return finder.Finish(&seam);
  };
  EXPECT_EQ(SeamVerdict::kNoAnchor, verdict(1'500));
  EXPECT_EQ(SeamVerdict::kFound, verdict(2'050)) << "after the anchor it is only a new record";
}

TEST(SeamFinder, OlderRecordsMayBeAsFarOutOfOrderAsTheRows) {
  // Every hundredth record is stamped five milliseconds too late.
  const auto content = [](int64_t number) {
    SeamContent made = SeamContentOf(number);
    if (number % 100 == 99) *made.timestamp_ms += 5;
    return made;
  };
  std::vector<SeamRow> rows = SeamRows(2'000, 2'200);
  for (SeamRow& row : rows) row.content = content(row.offset / 10);
  SeamFinder finder(std::move(rows), false, 0, true);
  for (int64_t number = 1'950; number < 2'210; ++number) {
    finder.Add({.offset = number, .content = content(number)});
  }
  Seam seam;
  EXPECT_EQ(SeamVerdict::kFound, finder.Finish(&seam));
  EXPECT_EQ(2'200, seam.below);
}

TEST(SeamFinder, OfTwoEqualRecordsTheSecondIsNewIfTheLakeHasOne) {
  const SeamAnswer answer =
      FindSeam(SeamRows(0, 40), false, CountUp(0, 40) + RecordNumbers{39, 40});
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(40, answer.seam.below);
  EXPECT_TRUE(answer.seam.copies.empty());
}

TEST(SeamFinder, RecordsThatMirrorMakerSentTwiceAreReadAndNoneIsLost) {
  const SeamAnswer answer = FindSeam(SeamRows(0, 60), false, CountUp(0, 50) + CountUp(40, 70));
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(50, answer.seam.below);
  EXPECT_EQ(10, answer.seam.copies.size());
  EXPECT_EQ(60, answer.seam.copies.begin()->first) << "50 to 59, after the second 40 to 49";
}

TEST(SeamFinder, EqualContentsEverywhereAreNoAnchorUnlessCounted) {
  std::vector<SeamRow> rows;
  for (int64_t i = 0; i < 40; ++i)
    rows.push_back({.offset = i, .content = SeamContentOf(7), .erased = false});
  const RecordNumbers equal(60, 7);
  const SeamAnswer counted = FindSeam(rows, true, equal);
  EXPECT_EQ(SeamVerdict::kFound, counted.verdict);
  EXPECT_EQ(40, counted.seam.below) << "the lake has forty of the sixty";
}

TEST(SeamFinder, TheMirrorMayHaveLostItsFirstRecords) {
  const SeamAnswer answer = FindSeam(SeamRows(0, 100), false, CountUp(30, 120), 30);
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(100, answer.seam.below);
  EXPECT_EQ(30, answer.seam.absent);
}

TEST(SeamFinder, AnotherTopicIsNotTakenForTheMirror) {
  EXPECT_EQ(SeamVerdict::kNoneFound, FindSeam(SeamRows(0, 20), true, CountUp(500, 600)).verdict);
  EXPECT_EQ(SeamVerdict::kNoAnchor, FindSeam(SeamRows(0, 100), false, CountUp(500, 600)).verdict);
}

TEST(SeamFinder, AnErasedRowIsTheRecordBetweenItsNeighbours) {
  std::vector<SeamRow> rows = SeamRows(0, 60);
  for (const size_t erased : {3, 4, 45})
    rows[erased] = {.offset = rows[erased].offset, .content = {}, .erased = true};
  const SeamAnswer answer = FindSeam(rows, false, CountUp(0, 70));
  EXPECT_EQ(SeamVerdict::kFound, answer.verdict);
  EXPECT_EQ(60, answer.seam.below);
  rows[0].erased = true;
  EXPECT_EQ(60, FindSeam(rows, true, CountUp(0, 70)).seam.below);
}

TEST(SeamFinder, AnErasedRowAmongNewRecordsIsNotGuessed) {
  std::vector<SeamRow> rows = SeamRows(0, 60);
  rows[50].erased = true;
  const RecordNumbers mirror = CountUp(0, 48) + RecordNumbers{1'000} + CountUp(48, 60);
  EXPECT_EQ(SeamVerdict::kErased, FindSeam(rows, false, mirror).verdict);
  rows[59].erased = true;
  EXPECT_EQ(SeamVerdict::kErased, FindSeam(rows, false, CountUp(0, 61)).verdict);
}

TEST(SeamFinder, OnlyKnownHashesAreCompared) {
  const SeamContent stored{.timestamp_ms = 5, .record = 0, .row = 3, .headers = 0};
  EXPECT_TRUE(AreSame(stored, {.timestamp_ms = 5, .record = 9, .row = 3, .headers = 4}));
  EXPECT_FALSE(AreSame(stored, {.timestamp_ms = 5, .record = 9, .row = 4, .headers = 4}));
  EXPECT_FALSE(AreSame(stored, {.timestamp_ms = 6, .record = 9, .row = 3, .headers = 4}));
  EXPECT_FALSE(AreSame(stored, {.timestamp_ms = 5, .record = 9, .row = 0, .headers = 4}))
      << "a timestamp alone proves nothing";
  const SeamContent quarantined{.timestamp_ms = 5, .record = 9, .row = 0, .headers = 8};
  EXPECT_FALSE(AreSame(quarantined, {.timestamp_ms = 5, .record = 9, .row = 3, .headers = 4}));
}

TEST(SeamFinder, TooManyCopiesAmongNewRecordsAreRefused) {
  const auto most = static_cast<int64_t>(SeamFinder::kMostCopies);
  const RecordNumbers mirror = CountUp(0, 40) + RecordNumbers{1'000'000} + CountUp(40, 41 + most);
  EXPECT_EQ(SeamVerdict::kTooMany, FindSeam(SeamRows(0, 41 + most), false, mirror).verdict);
}

// A generated history: what the lake has, what the mirror has of it, and what is new there.
struct SeamHistory {
  explicit SeamHistory(uint64_t seed) : random(seed) {
    const int64_t records = Random(200), in_lake = Random(records + 1);
    const int64_t copied = Random(records + 1), kinds = 1 + Random(records + 20);
    std::vector<int64_t> log;
    for (int64_t i = 0; i < records; ++i) log.push_back(Random(4) == 0 ? Random(kinds) : 1'000 + i);
    for (int64_t i = 0; i < in_lake; ++i) {
      rows.push_back({.offset = i,
                      .content = SeamContentOf(log[static_cast<size_t>(i)], kinds),
                      .erased = false});
    }
    for (int64_t i = 0; i < copied; ++i) {
      while (i > in_lake / 2 && Random(10) == 0) Write(100'000 + Random(kinds), false);
      Write(log[static_cast<size_t>(i)], i < in_lake);
    }
    per_millisecond = kinds;
  }
  int64_t Random(int64_t below) {
    return below <= 0 ? 0 : static_cast<int64_t>(random() % static_cast<uint64_t>(below));
  }
  void Write(int64_t number, bool has_row) {
    mirror.push_back(number);
    if (has_row) ++with_row;
  }

  std::mt19937_64 random;
  std::vector<SeamRow> rows;
  RecordNumbers mirror;
  int64_t with_row = 0, per_millisecond = 1;
};

// Whatever was written: no record is called a copy that has no row of its own, and if all rows are
// known, every copy is called one.
TEST(SeamFinder, CoversAsManyRecordsAsHaveRowsAndEachByARowOfItsOwn) {
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    const SeamHistory history(seed);
    SeamFinder finder(history.rows, /*complete=*/true, 0, true);
    int64_t offset = 0;
    for (const int64_t number : history.mirror) {
      finder.Add({.offset = offset++, .content = SeamContentOf(number, history.per_millisecond)});
    }
    Seam seam;
    const SeamVerdict verdict = finder.Finish(&seam);
    std::map<int64_t, int64_t> rows_of, records_of;
    for (const SeamRow& row : history.rows) ++rows_of[row.content.record];
    int64_t covered = 0;
    for (offset = 0; offset < std::ssize(history.mirror); ++offset) {
      if (offset >= seam.below && !seam.copies.contains(offset)) continue;
      ++covered;
      ++records_of[SeamContentOf(history.mirror[static_cast<size_t>(offset)]).record];
    }
    for (const auto& [record, count] : records_of) {
      ASSERT_LE(count, rows_of[record]) << "seed " << seed;
    }
    ASSERT_EQ(history.with_row, covered) << "seed " << seed;
    ASSERT_EQ(covered, seam.compared) << "seed " << seed;
    ASSERT_EQ(std::ssize(history.rows) - covered, seam.ahead + seam.absent) << "seed " << seed;
    const bool nothing = covered == 0 && !history.rows.empty() && !history.mirror.empty();
    const SeamVerdict found = seam.ahead > 0 ? SeamVerdict::kAhead : SeamVerdict::kFound;
    ASSERT_EQ(nothing ? SeamVerdict::kNoneFound : found, verdict) << "seed " << seed;
  }
}

}  // namespace
}  // namespace shopstream::ingest
