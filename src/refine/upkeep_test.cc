#include "refine/upkeep.h"

#include <gtest/gtest.h>

#include <string>

#include "base/runtime.h"
#include "lake/delta/log_entry.h"
#include "lake/parquet/partition_path.h"
#include "refine/gold_world_testing.h"

namespace shopstream::refine {
namespace {

constexpr int64_t kRetentionMs =
    3'600'000;  // The lake's default of delta.deletedFileRetentionDuration.

class UpkeepTest : public testing::GoldWorld {
 protected:
  bool Exists(const std::string& path) { return *store_->inner()->Get(path) != nullptr; }
  // Bounded waiting for another thread.
  static bool Eventually(const std::function<bool()>& holds) {
    const auto deadline = In(Millis{30'000});
    while (!holds() && BootClock::now() < deadline) Sleep(Millis{5});
    return holds();
  }
};

TEST_F(UpkeepTest, GoldIsMaintainedFromWhenItExistsAndItsReplacedFilesAreDeleted) {
  lake::MaintenanceOptions options = Upkeep::DefaultOptions();
  EXPECT_EQ(options.metric_prefix, "shopstream_refine");
  options.interval = Millis{5};
  options.expire_interval = Millis{5};
  const Upkeep upkeep(
      store_.get(), {silver_.get(), rejects_.get()},
      [] { return std::vector<std::string>{testing::kGoldPath}; }, options);
  MustBuild();
  MustCommit(AddPass({{}}));
  // A commit that, by its clock, removed the file almost a retention ago: it expires in a moment.
  const DataFile file = gold_->snapshot()->Files()[0];
  lake::LogEntry entry;
  entry.removes.push_back({file.path, lake::EncodeLogPath(file.path),
                           WallClockMillis() - kRetentionMs + 200,
                           /*data_change=*/true, file.partition_values, file.size_bytes});
  const int64_t version = gold_->snapshot()->version();
  ASSERT_TRUE(store_->inner()
                  ->Put(lake::LogEntryPath(testing::kGoldPath, version + 1),
                        *arrow::Buffer::FromString(lake::FormatLogEntry(entry)))
                  .ok());
  const std::string path = std::string(testing::kGoldPath) + "/" + file.path;
  EXPECT_TRUE(Eventually([&] { return !Exists(path); }));
}

}  // namespace
}  // namespace shopstream::refine
