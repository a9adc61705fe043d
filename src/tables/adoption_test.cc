#include "tables/adoption.h"

#include <gtest/gtest.h>

#include "tables/progress.h"

namespace shopstream::tables {
namespace {

constexpr char kFirstId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";
constexpr char kSecondId[] = "AAAXY_6eQ4-J_Cb_JlBqbw";
constexpr char kThirdId[] = "zzzXY_6eQ4-J_Cb_JlBqbw";

TEST(Adoption, IsReadAsItWasWritten) {
  const Adoption written{kFirstId, 7, 12, {{9, 100}, {11, 101}}};
  Txns txns;
  Put(kSecondId, 1, written, &txns);
  EXPECT_EQ(written, ReadAdoption(txns, kSecondId, 1));
  EXPECT_EQ(std::nullopt, ReadAdoption(txns, kSecondId, 11)) << "partition 11 is not partition 1";
  EXPECT_EQ(std::nullopt, ReadAdoption(txns, kFirstId, 1));
}

TEST(Adoption, IsNoProgressAndNoState) {
  Txns txns = {{ProgressAppId(kSecondId, 0), 7}};
  const PartitionState before = ReadPartitionState(txns, kSecondId, 0);
  Put(kSecondId, 0, Adoption{kFirstId, 7, 12, {{9, 100}}}, &txns);
  EXPECT_EQ(1, ReadProgress(txns).size());
  const PartitionState after = ReadPartitionState(txns, kSecondId, 0);
  EXPECT_EQ(before.next, after.next);
  EXPECT_EQ(before.position, after.position);
  EXPECT_FALSE(after.stopped());
}

TEST(Adoption, ChainsReachBackToTheFirstTopic) {
  Txns txns = {{ProgressAppId(kFirstId, 0), 12},
               {ProgressAppId(kSecondId, 0), 20},
               {ProgressAppId(kThirdId, 0), 30}};
  EXPECT_EQ((std::vector<std::string>{kThirdId}), ChainOf(txns, kThirdId));
  Put(kSecondId, 0, Adoption{kFirstId, 7, 12, {}}, &txns);
  Put(kThirdId, 0, Adoption{kSecondId, 25, 20, {}}, &txns);
  EXPECT_EQ((std::vector<std::string>{kThirdId, kSecondId, kFirstId}), ChainOf(txns, kThirdId));
}

}  // namespace
}  // namespace shopstream::tables
