#include "refine/seen_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "base/error_kind.h"
#include "simulate/memory_pages.h"

namespace shopstream::refine {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

Hash128 Id(uint64_t number) { return {.high = number * 0x9e3779b97f4a7c15, .low = number + 1}; }
std::vector<Hash128> Ids(uint64_t begin, uint64_t end) {
  std::vector<Hash128> ids;
  for (uint64_t number = begin; number < end; ++number) ids.push_back(Id(number));
  return ids;
}

// The table that an index follows, as a set of numbers for each date.
class SeenIndexTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen(const SeenIndexOptions& options = {.table_id = "t"}) {
    index_.reset();
    index_ = SeenIndex::Open(&pages_, options).ValueOrDie();
  }
  SeenIndex::Rebuild FromTable(SeenIndex::Date date) {
    return [this, date](const SeenIndex::Take& take) {
      ++rebuilds_;
      std::vector<Hash128> ids;
      for (const uint64_t number : table_[date]) ids.push_back(Id(number));
      return take(ids);
    };
  }
  // A pass: looks its numbers up, commits the new ones to the table, then to the index.
  std::vector<bool> Pass(SeenIndex::Date date, uint64_t begin, uint64_t end) {
    const auto seen = index_->Contains("ids", date, Ids(begin, end), FromTable(date)).ValueOrDie();
    std::vector<Hash128> fresh;
    for (uint64_t number = begin; number < end; ++number) {
      if (!seen[number - begin]) fresh.push_back(Id(number));
      table_[date].insert(number);
    }
    ++pass_;
    EXPECT_TRUE(index_->Insert("ids", date, fresh).ok());
    EXPECT_TRUE(index_->Stamp("ids", Now()).ok());
    return seen;
  }
  SeenStamp Now() const { return {pass_, pass_ + 100, "commit-" + std::to_string(pass_)}; }
  void Begin() { ASSERT_TRUE(index_->Stamp("ids", Now()).ok()); }

  simulate::MemoryPages pages_;
  std::unique_ptr<SeenIndex> index_;
  std::map<SeenIndex::Date, std::set<uint64_t>> table_;
  int64_t pass_ = 0;
  int rebuilds_ = 0;
};

TEST_F(SeenIndexTest, WhatWasInsertedIsSeenPerDateAndAfterARestart) {
  Begin();
  EXPECT_THAT(Pass(1, 0, 10), Each(false));
  EXPECT_THAT(Pass(1, 8, 12), ElementsAre(true, true, false, false));
  EXPECT_THAT(Pass(2, 0, 10), Each(false));
  EXPECT_THAT(Pass(std::nullopt, 0, 10), Each(false));
  EXPECT_THAT(Pass(-719162, 0, 10), Each(false));
  EXPECT_EQ(4, rebuilds_);
  const HashKey key = index_->key();
  Reopen();
  EXPECT_EQ(key, index_->key());
  EXPECT_EQ(Now(), index_->stamp("ids"));
  for (const SeenIndex::Date date : {SeenIndex::Date(1), {2}, {}, {-719162}}) {
    EXPECT_THAT(Pass(date, 0, 10), Each(true));
  }
  EXPECT_EQ(4, rebuilds_);
}

TEST_F(SeenIndexTest, ADateThatIsAbsentIsBuiltFromTheTable) {
  for (uint64_t number = 0; number < 1000; ++number) table_[7].insert(number);
  Begin();
  // Until it is needed there is nothing to insert into.
  ASSERT_TRUE(index_->Insert("ids", 7, Ids(5000, 5010)).ok());
  EXPECT_EQ(0, index_->disk_bytes());
  const auto seen = Pass(7, 990, 1010);
  EXPECT_EQ(10, std::ranges::count(seen, true));
  EXPECT_EQ(1, rebuilds_);
}

TEST_F(SeenIndexTest, WithoutAStampThereIsNoSet) {
  EXPECT_EQ(std::nullopt, index_->stamp("ids"));
  EXPECT_TRUE(index_->Contains("ids", 1, Ids(0, 1), FromTable(1)).status().IsInvalid());
  Begin();
  Pass(1, 0, 10);
  ASSERT_TRUE(index_->Forget("ids").ok());
  EXPECT_EQ(std::nullopt, index_->stamp("ids"));
  EXPECT_EQ(0, index_->disk_bytes());
  Reopen();
  EXPECT_EQ(std::nullopt, index_->stamp("ids"));
}

TEST_F(SeenIndexTest, ADateIsForgottenInOneSetOrInAll) {
  Begin();
  ASSERT_TRUE(index_->Stamp("gold_x.customers", Now()).ok());
  for (const int32_t date : {1, 2}) {
    for (const char* name : {"ids", "gold_x.customers"}) {
      ASSERT_TRUE(index_->Contains(name, date, {}, FromTable(date)).ok());
    }
  }
  EXPECT_EQ(4, rebuilds_);
  ASSERT_TRUE(index_->Forget(1).ok());
  ASSERT_TRUE(index_->Forget("ids", 2).ok());
  for (const int32_t date : {1, 2}) {
    for (const char* name : {"ids", "gold_x.customers"}) {
      ASSERT_TRUE(index_->Contains(name, date, {}, FromTable(date)).ok());
    }
  }
  EXPECT_EQ(7, rebuilds_);
}

TEST_F(SeenIndexTest, TheIndexOfAnotherTableIsDropped) {
  Begin();
  Pass(1, 0, 10);
  const HashKey key = index_->key();
  Reopen({.table_id = "another"});
  EXPECT_EQ(std::nullopt, index_->stamp("ids"));
  EXPECT_EQ(0, index_->disk_bytes());
  EXPECT_NE(key, index_->key());
}

TEST_F(SeenIndexTest, AfterAPowerFailureItIsDroppedUnlessItWasClosed) {
  Begin();
  Pass(1, 0, 1000);
  ASSERT_TRUE(index_->Close().ok());
  pages_.LosePower([] { return false; });
  Reopen();
  EXPECT_THAT(Pass(1, 0, 1000), Each(true));
  EXPECT_EQ(1, rebuilds_);

  Pass(1, 1000, 2000);
  std::mt19937 random(1);
  pages_.LosePower([&random] { return random() % 2 == 0; });
  Reopen();
  EXPECT_EQ(std::nullopt, index_->stamp("ids"));
  Begin();
  EXPECT_THAT(Pass(1, 0, 2000), Each(true));
  EXPECT_EQ(2, rebuilds_);
}

TEST_F(SeenIndexTest, AKilledProcessLosesNothing) {
  for (int64_t writes = 0;; writes += 1 + writes / 4) {
    SCOPED_TRACE(writes);
    pages_ = {};
    table_.clear();
    Reopen();
    Begin();
    pages_.KillAfterWrites(writes);
    std::optional<SeenStamp> stamped;
    std::set<uint64_t> inserted;
    for (uint64_t begin = 0; begin < 200'000 && !pages_.is_dead(); begin += 50'000) {
      const auto seen = index_->Contains("ids", 1, Ids(begin, begin + 5), FromTable(1));
      if (!seen.ok()) break;
      if (!index_->Insert("ids", 1, Ids(begin, begin + 50'000)).ok()) break;
      ++pass_;
      if (!index_->Stamp("ids", Now()).ok()) break;
      stamped = Now();
      inserted.insert(begin);
    }
    const bool died = pages_.is_dead();
    pages_.Revive();
    Reopen();
    // Half a stamp was written: nothing is known, and the date is built again.
    const auto stamp = index_->stamp("ids");
    if (stamp && stamped) {
      EXPECT_LE(stamped->pass, stamp->pass);
      const auto rebuild = [](const SeenIndex::Take&) { return Status::Invalid("not needed"); };
      for (const uint64_t begin : inserted) {
        ASSERT_THAT(index_->Contains("ids", 1, Ids(begin, begin + 50'000), rebuild).ValueOrDie(),
                    Each(true));
      }
    }
    if (!died) break;
  }
}

TEST_F(SeenIndexTest, ADamagedDateIsBuiltAgain) {
  Begin();
  Pass(1, 0, 1000);
  Reopen();
  ASSERT_TRUE(pages_.Remove("ids.1.0.log").ok());
  EXPECT_THAT(Pass(1, 0, 1000), Each(true));
  EXPECT_EQ(2, rebuilds_);

  const std::string zeros(4096, '\0');
  ASSERT_TRUE(
      pages_.Open("ids.1.0.run").ValueOrDie()->Write(4096, std::as_bytes(std::span(zeros))).ok());
  EXPECT_THAT(Pass(1, 0, 1000), Each(true));
  EXPECT_EQ(3, rebuilds_);
}

TEST_F(SeenIndexTest, DatesThatWereNotUsedLatelyGoWhenTheDiskIsFull) {
  for (int32_t date = 0; date < 10; ++date) {
    for (uint64_t number = 0; number < 10'000; ++number) table_[date].insert(number);
  }
  Reopen({.table_id = "t", .disk_bytes = 1'000'000});
  Begin();
  for (int32_t date = 0; date < 10; ++date) {
    Pass(date, 0, 5);
    EXPECT_LE(index_->disk_bytes(), 1'000'000);
    Pass(0, 0, 5);
  }
  EXPECT_EQ(10, rebuilds_);
  Pass(0, 0, 5);
  Pass(9, 0, 5);
  EXPECT_EQ(10, rebuilds_);
  EXPECT_THAT(Pass(1, 9990, 10'000), Each(true));
  EXPECT_EQ(11, rebuilds_);
}

TEST_F(SeenIndexTest, ClosedDatesAreOpenedAgain) {
  Reopen({.table_id = "t", .memory_bytes = 1, .open_dates = 2});
  Begin();
  for (uint64_t round = 0; round < 5; ++round) {
    for (int32_t date = 0; date < 10; ++date) {
      const auto seen = Pass(date, 10 * round, 10 * round + 20);
      EXPECT_EQ(round == 0 ? 0 : 10, std::ranges::count(seen, true));
    }
  }
  EXPECT_EQ(10, rebuilds_);
}

// With a listing for each, the cost of a pass would grow with the square of its dates.
TEST_F(SeenIndexTest, DatesAreBuiltOpenedAndForgottenWithoutAListing) {
  Reopen({.table_id = "t", .open_dates = 2});
  Begin();
  const int64_t before = pages_.listings();
  for (int round = 0; round < 3; ++round) {
    for (int32_t date = 0; date < 10; ++date) Pass(date, 0, 10);
  }
  ASSERT_TRUE(index_->Forget("ids").ok());
  EXPECT_EQ(before, pages_.listings());
  EXPECT_EQ(10, rebuilds_);
}

}  // namespace
}  // namespace shopstream::refine
