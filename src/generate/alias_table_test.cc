#include "generate/alias_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "generate/random.h"

namespace shopstream::generate {
namespace {

std::vector<double> DrawShares(const AliasTable& table, int draws) {
  Random random(7);
  std::vector<double> shares(table.size());
  for (int i = 0; i < draws; ++i) shares[table.Draw(random.Next())] += 1.0 / draws;
  return shares;
}

TEST(AliasTable, DrawsByWeight) {
  const std::vector<double> weights = {1, 0, 6, 3};
  const std::vector<double> shares = DrawShares(AliasTable(weights), 100'000);
  EXPECT_NEAR(shares[0], 0.1, 0.005);
  EXPECT_EQ(shares[1], 0.0);
  EXPECT_NEAR(shares[2], 0.6, 0.01);
  EXPECT_NEAR(shares[3], 0.3, 0.01);
}

TEST(AliasTable, DrawsTheOnlyOne) {
  const std::vector<double> weights = {5};
  EXPECT_EQ(AliasTable(weights).Draw(~0ull), 0u);
  EXPECT_EQ(AliasTable(weights).Draw(0), 0u);
}

TEST(AliasTable, FollowsZipf) {
  const std::vector<double> weights = ZipfWeights(500, 1.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const std::vector<double> shares = DrawShares(AliasTable(weights), 1'000'000);
  for (const int k : {1, 2, 10, 100}) {
    const double expected = 1.0 / (k * sum);
    EXPECT_NEAR(shares[k - 1], expected, 6 * std::sqrt(expected / 1'000'000)) << "rank " << k;
  }
}

}  // namespace
}  // namespace shopstream::generate
