#include "tables/refine_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kId[] = "Xk3_-abcdefghijklmnopq";

RefineStanding Holding(int64_t pass) {
  RefineStanding standing;
  standing.pass = pass;
  return standing;
}

class RefineState : public ::testing::Test {
 protected:
  std::shared_ptr<const lake::Snapshot> Commit(const RefineStanding& standing,
                                               const std::map<std::string, std::string>& more) {
    const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
      lake::Changes changes;
      changes.txns = RefineTxns(standing);
      changes.growth = lake::TableGrowth{snapshot.schema(), RefineProperties(standing, snapshot)};
      changes.growth->properties.insert(more.begin(), more.end());
      return changes;
    };
    EXPECT_TRUE(table_->Commit(prepare, BootClock::now() + std::chrono::seconds(5)).ok());
    return table_->snapshot();
  }

  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> table_ =
      *lake::Table::OpenOrCreate(&store_, QuarantineSpec("rejects"));
};

TEST_F(RefineState, IsReadAsItWasWritten) {
  RefineStanding standing = Holding(7);
  standing.bronze_version = 40;
  standing.bronze_seen = {.version = 41, .digest = 77};
  standing.complete_through_ms = 5;
  standing.author = 9;
  standing.ends = {{{kId, 0}, 100}, {{kId, 12}, 0}, {{"other", 0}, 3}};
  standing.replayed[kId].Insert(2, 17);
  standing.task = 6;
  const auto snapshot = Commit(standing, {});
  const RefineStanding stored = *ReadRefineStanding(*snapshot);
  EXPECT_EQ(7, stored.pass);
  EXPECT_EQ(standing.ends, stored.ends);
  EXPECT_EQ(40, stored.bronze_version);
  EXPECT_EQ(standing.bronze_seen, stored.bronze_seen);
  EXPECT_EQ(5, stored.complete_through_ms);
  EXPECT_EQ(9, stored.author);
  EXPECT_EQ(6, stored.task);
  ASSERT_EQ(1, stored.replayed.size());
  EXPECT_EQ("2:17", stored.replayed.at(kId).Format());
}

TEST_F(RefineState, ATableWithoutAPassIsNotOneThatHoldsPass0) {
  EXPECT_EQ(std::nullopt, ReadRefineStanding(*table_->snapshot())->pass);
  EXPECT_EQ(0, ReadRefineStanding(*Commit(Holding(0), {}))->pass);
}

TEST_F(RefineState, APropertyIsSetOnlyIfItChanges) {
  RefineStanding standing = Holding(1);
  standing.replayed["empty"];
  standing.replayed[kId].Insert(0, 1);
  EXPECT_EQ(1, RefineProperties(standing, *table_->snapshot()).size());
  EXPECT_THAT(RefineProperties(standing, *Commit(standing, {})), IsEmpty());
  standing.replayed[kId].Insert(0, 2);
  EXPECT_EQ(1, RefineProperties(standing, *table_->snapshot()).size());
}

TEST_F(RefineState, TheProgressOfIngestIsNotTheEndOfRefine) {
  Commit(Holding(1), {});
  lake::Changes ingest;
  ingest.txns = {{ProgressAppId(kId, 0), 5}};
  ASSERT_TRUE(
      table_->Commit(lake::Unconditionally(ingest), BootClock::now() + std::chrono::seconds(5))
          .ok());
  EXPECT_THAT(ReadRefineStanding(*table_->snapshot())->ends, IsEmpty());
  RefineStanding refined = Holding(1);
  refined.ends[{kId, 0}] = 1;
  EXPECT_THAT(ReadProgress(RefineTxns(refined)), IsEmpty());
}

TEST_F(RefineState, ADamagedPropertyIsNamed) {
  const auto snapshot = Commit(Holding(1), {{"shopstream.refine.replayed.t", "nonsense"}});
  EXPECT_THAT(ReadRefineStanding(*snapshot).status().message(),
              HasSubstr("shopstream.refine.replayed.t is damaged"));
}

}  // namespace
}  // namespace shopstream::tables
