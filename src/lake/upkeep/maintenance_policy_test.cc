#include "lake/upkeep/maintenance_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream::lake {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kMinute = 60'000;

std::vector<DataFile> Files(int count, const std::string& date, int64_t age_ms,
                            int64_t rows = 300) {
  std::vector<DataFile> files;
  for (int i = 0; i < count; ++i) {
    DataFile file;
    file.path = "date=" + date + "/" + std::to_string(i);
    file.partition_values = {{"date", date}};
    file.rows = rows;
    file.size_bytes = rows * 30 + 4000;
    file.modified_ms = kNow - age_ms;
    files.push_back(file);
  }
  return files;
}

// The same in each of several partitions.
std::vector<DataFile> Replay(int partitions, int count, int64_t age_ms) {
  std::vector<DataFile> all;
  for (int i = 0; i < partitions; ++i) {
    for (DataFile& file : Files(count, "2017-" + std::to_string(i), age_ms)) all.push_back(file);
  }
  return all;
}

TEST(PlanMaintenance, ALivePartitionWaitsForEightTimesTheRows) {
  EXPECT_THAT(PlanMaintenance(Files(7, "d", 1000), kNow, {}), IsEmpty());
  const auto groups = PlanMaintenance(Files(8, "d", 1000), kNow, {});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].files, SizeIs(8));
}

TEST(PlanMaintenance, AQuietOneIsTidiedUp) {
  EXPECT_THAT(PlanMaintenance(Files(3, "d", 9 * kMinute), kNow, {}), IsEmpty());
  EXPECT_THAT(PlanMaintenance(Files(3, "d", 11 * kMinute), kNow, {}), SizeIs(1));
}

TEST(PlanMaintenance, ALoadOverManyPartitionsIsLeftInPeaceUntilItEnds) {
  EXPECT_THAT(PlanMaintenance(Replay(400, 20, 1000), kNow, {}), IsEmpty());
  EXPECT_THAT(PlanMaintenance(Replay(400, 20, 2 * kMinute), kNow, {}), SizeIs(400));
}

TEST(PlanMaintenance, SoIsABacklogOfManyRows) {
  EXPECT_THAT(PlanMaintenance(Files(50, "d", 1000, 100'000), kNow, {}), IsEmpty());
  const auto groups = PlanMaintenance(Files(50, "d", 2 * kMinute, 100'000), kNow, {});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].files, SizeIs(45));  // 128 MiB; the rest waits for more.
}

TEST(PlanMaintenance, InALoadPartitionsWithTooManyFilesAreMergedAllTheSame) {
  auto files = Replay(400, 20, 1000);
  for (DataFile& file : Files(101, "crowded", 1000)) files.push_back(file);
  const auto groups = PlanMaintenance(files, kNow, {});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ("crowded", groups[0].partition[0].second);
  EXPECT_EQ(101, MostFilesOfAPartition(files));
}

}  // namespace
}  // namespace shopstream::lake
