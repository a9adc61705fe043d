#include "refine/seen_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "base/error_kind.h"
#include "simulate/memory_pages.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Hashes = std::vector<Hash128>;

class SeenSetTest : public ::testing::Test {
 protected:
  Hashes Random(size_t count) {
    Hashes hashes(count);
    for (Hash128& hash : hashes) hash = {random_(), random_()};
    return hashes;
  }
  // Some of a set, some new ones, some twice; not in order.
  Hashes Mixed(const std::set<Hash128>& old, size_t count) {
    Hashes hashes = Random(count);
    for (const Hash128& hash : old) {
      if (random_() % old.size() < count) hashes.push_back(hash);
    }
    for (size_t i = 0; i < count / 10; ++i) hashes.push_back(hashes[random_() % hashes.size()]);
    std::ranges::shuffle(hashes, random_);
    return hashes;
  }
  void Build(const Hashes& hashes) {
    set_ = SeenSet::Build(&pages_, "ids", [&](const SeenSet::Take& take) {
             return take(hashes);
           }).ValueOrDie();
  }
  Result<std::unique_ptr<SeenSet>> Open() {
    std::vector<std::string> names;
    for (const auto& file : *pages_.List()) names.push_back(file.name);
    return SeenSet::Open(&pages_, "ids", names);
  }
  std::vector<std::string> Files() {
    std::vector<std::string> names;
    for (const auto& file : *pages_.List()) names.push_back(file.name);
    return names;
  }
  // The set has these of `asked`.
  static void Compare(SeenSet* set, const std::set<Hash128>& expected, const Hashes& asked) {
    const auto found = set->Contains(asked);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_THAT(*found, SizeIs(asked.size()));
    for (size_t i = 0; i < asked.size(); ++i) {
      ASSERT_EQ(expected.contains(asked[i]), (*found)[i]) << i;
    }
  }
  static Hashes AllOf(const std::set<Hash128>& set) { return {set.begin(), set.end()}; }

  simulate::MemoryPages pages_;
  std::unique_ptr<SeenSet> set_;
  std::mt19937_64 random_{3};
};

TEST_F(SeenSetTest, ItAnswersLikeASetThroughMergesAndRestarts) {
  std::set<Hash128> expected;
  const Hashes first = Random(30'000);
  expected.insert(first.begin(), first.end());
  Build(first);
  std::set<std::string> runs;
  for (int round = 0; round < 30; ++round) {
    const Hashes batch = Mixed(expected, random_() % 20'000);
    Compare(set_.get(), expected, batch);
    ASSERT_TRUE(set_->Insert(batch).ok());
    expected.insert(batch.begin(), batch.end());
    if (round % 7 == 6) {
      set_.reset();
      set_ = Open().ValueOrDie();
    }
    for (const std::string& file : Files()) {
      if (file.ends_with("run")) runs.insert(file);
    }
  }
  Compare(set_.get(), expected, Mixed(expected, 10'000));
  Compare(set_.get(), expected, AllOf(expected));
  EXPECT_GE(runs.size(), 4);
  EXPECT_LT(set_->disk_bytes(), 16 * 3 * std::ssize(expected));
}

TEST_F(SeenSetTest, ABatchLargerThanTheSetIsInsertedToo) {
  Build({});
  std::set<Hash128> expected;
  for (int round = 0; round < 3; ++round) {
    const Hashes batch = Random(200'000);
    ASSERT_TRUE(set_->Insert(batch).ok());
    expected.insert(batch.begin(), batch.end());
  }
  Compare(set_.get(), expected, AllOf(expected));
}

TEST_F(SeenSetTest, MoreThanMemoryHoldsIsBuilt) {
  std::set<Hash128> expected;
  const auto rebuild = [&](const SeenSet::Take& take) -> Status {
    for (int part = 0; part < 3; ++part) {
      Hashes hashes = Random(1'000'000);
      for (size_t i = 0; i < hashes.size(); i += 1000) expected.insert(hashes[i]);
      hashes.insert(hashes.end(), expected.begin(), expected.end());
      ARROW_RETURN_NOT_OK(take(std::move(hashes)));
    }
    return Status::OK();
  };
  set_ = SeenSet::Build(&pages_, "ids", rebuild).ValueOrDie();
  const auto found = set_->Contains(AllOf(expected)).ValueOrDie();
  EXPECT_EQ(std::ssize(expected), std::ranges::count(found, true));
  EXPECT_NEAR(3'000'000 * 16, set_->disk_bytes(), 1'000'000);
  EXPECT_THAT(Files(), ElementsAre("ids.0.log", "ids.0.run"));
}

TEST_F(SeenSetTest, ABuildThatFailsLeavesNoSet) {
  const auto rebuild = [&](const SeenSet::Take& take) -> Status {
    ARROW_RETURN_NOT_OK(take(Random(3'000'000)));
    return Unavailable("the store does not answer");
  };
  EXPECT_TRUE(IsUnavailable(SeenSet::Build(&pages_, "ids", rebuild).status()));
  EXPECT_EQ(nullptr, Open().ValueOrDie());
  EXPECT_THAT(Files(), IsEmpty());
}

// Dies at each write in turn, is opened again and gets the same batches again.
TEST_F(SeenSetTest, AfterAnyKillItHasWhatItConfirmedAndTakesTheRestAgain) {
  const Hashes first = Random(70'000);
  std::vector<Hashes> batches;
  for (int i = 0; i < 12; ++i) batches.push_back(Random(15'000));
  for (int64_t writes = 0;; writes += 1 + writes / 4) {
    SCOPED_TRACE(writes);
    pages_ = {};
    pages_.KillAfterWrites(writes);
    std::set<Hash128> confirmed;
    auto built =
        SeenSet::Build(&pages_, "ids", [&](const SeenSet::Take& take) { return take(first); });
    if (built.ok()) confirmed.insert(first.begin(), first.end());
    for (const Hashes& batch : batches) {
      if (!built.ok() || !(*built)->Insert(batch).ok()) break;
      confirmed.insert(batch.begin(), batch.end());
    }
    const bool died = pages_.is_dead();
    built = Status::Invalid("dead");
    pages_.Revive();
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status();
    if (*opened == nullptr) {
      ASSERT_THAT(confirmed, IsEmpty());
      continue;
    }
    set_ = *std::move(opened);
    const auto found = set_->Contains(AllOf(confirmed)).ValueOrDie();
    ASSERT_EQ(std::ssize(confirmed), std::ranges::count(found, true));
    const Hashes others = Random(1000);
    Compare(set_.get(), confirmed, others);
    for (const Hashes& batch : batches) {
      ASSERT_TRUE(set_->Insert(batch).ok());
      confirmed.insert(batch.begin(), batch.end());
    }
    Compare(set_.get(), confirmed, AllOf(confirmed));
    if (!died) break;
  }
}

TEST_F(SeenSetTest, ASetWithoutItsLogIsDamaged) {
  Build(Random(10));
  ASSERT_TRUE(set_->Insert(Random(10)).ok());
  set_.reset();
  ASSERT_TRUE(pages_.Remove("ids.0.log").ok());
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(Open().status()));
}

TEST_F(SeenSetTest, TheCostOfABatchDoesNotDependOnTheSize) {
  const auto pages_of = [this](size_t size) {
    pages_ = {};
    Build(Random(size));
    const int64_t read = pages_.pages_read(), written = pages_.bytes_written();
    // Enough for several merges of either.
    for (int batch = 0; batch < 100; ++batch) {
      const Hashes hashes = Random(4000);
      EXPECT_TRUE(set_->Contains(hashes).ok());
      EXPECT_TRUE(set_->Insert(hashes).ok());
    }
    return std::pair(pages_.pages_read() - read, pages_.bytes_written() - written);
  };
  const auto small = pages_of(500'000), large = pages_of(2'000'000);
  EXPECT_LT(large.first, 3 * small.first);
  EXPECT_LT(large.second, 3 * small.second);
}

}  // namespace
}  // namespace shopstream::refine
