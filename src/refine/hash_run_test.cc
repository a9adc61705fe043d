#include "refine/hash_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/error_kind.h"
#include "simulate/memory_pages.h"

namespace shopstream::refine {
namespace {

class HashRunTest : public ::testing::Test {
 protected:
  // Writes them in pieces of any size.
  Status Write(const std::vector<Hash128>& hashes, bool finish = true) {
    HashRunWriter writer(pages_.Open("run").ValueOrDie());
    for (size_t begin = 0; begin < hashes.size();) {
      const size_t count = std::min<size_t>(hashes.size() - begin, random_() % 3000);
      ARROW_RETURN_NOT_OK(writer.Append(std::span(hashes).subspan(begin, count)));
      begin += count;
    }
    return finish ? writer.Finish() : Status::OK();
  }
  Result<std::unique_ptr<HashRun>> Open() { return HashRun::Open(*pages_.Open("run")); }
  std::vector<Hash128> Random(size_t count, uint64_t leading = UINT64_MAX) {
    std::set<Hash128> hashes;
    while (hashes.size() < count) hashes.insert({random_() % leading, random_() % 1'000'000 + 1});
    return {hashes.begin(), hashes.end()};
  }
  // Which of them a run of `present` finds.
  std::vector<bool> Find(const std::vector<Hash128>& hashes) {
    std::vector<bool> found(hashes.size());
    const auto run = Open().ValueOrDie();
    EXPECT_TRUE(run->Find(hashes, &found).ok());
    return found;
  }

  simulate::MemoryPages pages_;
  std::mt19937_64 random_{5};
};

TEST_F(HashRunTest, EveryHashIsFoundAndNoOther) {
  // Few leading halves: one of them fills several pages.
  for (const auto& [count, leading] : {std::pair<size_t, uint64_t>(0, 9),
                                       {1, 9},
                                       {255, UINT64_MAX},
                                       {256, UINT64_MAX},
                                       {257, UINT64_MAX},
                                       {20'000, 7},
                                       {50'000, UINT64_MAX}}) {
    pages_ = {};
    const auto present = Random(count, leading);
    ASSERT_TRUE(Write(present).ok());
    auto asked = Random(500, leading);
    for (size_t i = 0; i < present.size(); i += 1 + i / 100) asked.push_back(present[i]);
    std::ranges::sort(asked);
    std::vector<bool> expected;
    for (const Hash128& hash : asked) {
      expected.push_back(std::ranges::binary_search(present, hash));
    }
    EXPECT_EQ(expected, Find(asked)) << count;
    std::vector<Hash128> read;
    ASSERT_TRUE(Open().ValueOrDie()->Read(0, 1'000'000, &read).ok());
    EXPECT_EQ(present, read);
  }
}

TEST_F(HashRunTest, AHashCostsAtMostOnePage) {
  ASSERT_TRUE(Write(Random(100'000)).ok());
  const auto asked = Random(1000);
  const auto run = Open().ValueOrDie();
  const int64_t before = pages_.pages_read();
  std::vector<bool> found(asked.size());
  ASSERT_TRUE(run->Find(asked, &found).ok());
  EXPECT_LE(pages_.pages_read() - before, 391);  // All of the run.
}

TEST_F(HashRunTest, AnIncompleteRunIsNone) {
  EXPECT_EQ(nullptr, Open().ValueOrDie());
  ASSERT_TRUE(Write(Random(40'000), /*finish=*/false).ok());
  EXPECT_EQ(nullptr, Open().ValueOrDie());
}

TEST_F(HashRunTest, DamageIsNoticed) {
  ASSERT_TRUE(Write(Random(1000)).ok());
  const auto damage = [this](int64_t offset, size_t bytes) {
    const std::string zeros(bytes, '\0');
    ASSERT_TRUE(
        pages_.Open("run").ValueOrDie()->Write(offset, std::as_bytes(std::span(zeros))).ok());
  };
  const auto file = pages_.Open("run").ValueOrDie();
  const int64_t size = file->Size().ValueOrDie();
  damage(size, 1);
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(Open().status()));

  ASSERT_TRUE(pages_.Remove("run").ok());
  const auto present = Random(1000);
  ASSERT_TRUE(Write(present).ok());
  // The first hash of a page is in the index, too; the others are in order.
  for (const int64_t offset : {4096 + 4096, 4096 + 4096 + 16}) {
    damage(offset, 16);
    std::vector<bool> found(present.size());
    EXPECT_EQ(ErrorKind::kCorrupt, KindOf(Open().ValueOrDie()->Find(present, &found)));
    ASSERT_TRUE(pages_.Remove("run").ok());
    ASSERT_TRUE(Write(present).ok());
  }
}

}  // namespace
}  // namespace shopstream::refine
