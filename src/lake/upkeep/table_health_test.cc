#include "lake/upkeep/table_health.h"

#include <gtest/gtest.h>

#include <string>

#include "base/clock.h"
#include "lake/delta/table_testing.h"

namespace shopstream::lake {
namespace {

class TableHealthTest : public testing::TableTest {
 protected:
  TableHealth Read(int64_t now_ms = WallClockMillis()) {
    return *ReadHealth(&store_, testing::kPath, *table_->snapshot(), now_ms);
  }
};

TEST_F(TableHealthTest, AHealthyTableHasNoAdvice) {
  Append("a");
  Append("b");
  const TableHealth health = Read();
  EXPECT_EQ(2, health.totals.files);
  EXPECT_EQ(2, health.most_small_files);
  EXPECT_EQ(0, health.dead_files);
  EXPECT_EQ(2, health.newest_version);
  EXPECT_EQ(0, health.expired_versions);
  EXPECT_FALSE(health.advice);
}

TEST_F(TableHealthTest, SmallFilesOfAPartitionAdviseToCompact) {
  Changes changes;
  for (int i = 0; i < 100; ++i) changes.adds.push_back(testing::File(std::to_string(i)));
  changes.written_since = BootClock::now();
  Commit(changes);
  ASSERT_TRUE(Read().advice);
  EXPECT_EQ("shopstream table optimize bronze-events", Read().advice->command);
}

TEST_F(TableHealthTest, RemovedFilesAreDeadAndAdviseToVacuumOnceTheyAreMost) {
  Changes add, remove;
  add.adds = {testing::File("a"), testing::File("b")};
  add.adds[0].size_bytes = int64_t{2} << 30;
  add.written_since = BootClock::now();
  Commit(add);
  remove.removes = {add.adds[0]};
  Commit(remove);
  const TableHealth health = Read();
  EXPECT_EQ(1, health.dead_files);
  EXPECT_EQ(int64_t{2} << 30, health.dead_bytes);
  ASSERT_TRUE(health.advice);
  EXPECT_EQ("shopstream table vacuum bronze-events --delete", health.advice->command);
}

TEST_F(TableHealthTest, VersionsAreExpiredOnceTheLogNeedNotKeepThem) {
  Append("a");
  Append("b");
  EXPECT_EQ(2, Read(WallClockMillis() + int64_t{3} * 24 * 3600 * 1000).expired_versions);
}

TEST(AdviseCompactionTest, WithoutPartitionsTheShareOfSmallFilesDecides) {
  EXPECT_FALSE(AdviseCompaction("t", 1'500, 500, {}));
  EXPECT_TRUE(AdviseCompaction("t", 1'500, 1'200, {}));
  EXPECT_FALSE(AdviseCompaction("t", 1'500, 1'200, 5));
}

}  // namespace
}  // namespace shopstream::lake
