#include "refine/hash_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace shopstream::refine {
namespace {

std::vector<Hash128> InOrder(const HashTable& table) {
  std::vector<Hash128> all, some;
  size_t slot = 0;
  for (table.Next(&slot, &some); !some.empty(); table.Next(&slot, &some)) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// `leading`: how many different leading halves there are; few of them crowd few slots.
void CompareWithSet(int count, uint64_t leading) {
  std::mt19937_64 random(leading);
  HashTable table;
  std::set<Hash128> expected;
  for (int i = 0; i < count; ++i) {
    const Hash128 hash{.high = random() % leading * (UINT64_MAX / leading),
                       .low = random() % 5000 + 1};
    ASSERT_EQ(expected.insert(hash).second, table.Insert(hash));
  }
  EXPECT_EQ(std::ssize(expected), table.size());
  EXPECT_EQ(std::vector<Hash128>(expected.begin(), expected.end()), InOrder(table));
  for (int i = 0; i < count; ++i) {
    const Hash128 hash{.high = random() % leading * (UINT64_MAX / leading),
                       .low = random() % 5000 + 1};
    ASSERT_EQ(expected.contains(hash), table.Contains(hash));
  }
}

TEST(HashTableTest, ItIsASortedSet) { CompareWithSet(100'000, 1'000'000'007); }
TEST(HashTableTest, CrowdedSlotsAreOnlySlower) {
  CompareWithSet(3000, 70);
  CompareWithSet(100, 1);
}
TEST(HashTableTest, TheLastSlotsAreCrowdedToo) {
  HashTable table;
  std::vector<Hash128> expected;
  for (uint64_t low = 1; low <= 300; ++low) {
    expected.push_back({.high = UINT64_MAX, .low = low});
    EXPECT_TRUE(table.Insert(expected.back()));
  }
  EXPECT_EQ(expected, InOrder(table));
}

}  // namespace
}  // namespace shopstream::refine
