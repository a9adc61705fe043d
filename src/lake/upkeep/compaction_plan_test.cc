#include "lake/upkeep/compaction_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kBytesPerRow = 30;

DataFile File(const std::string& name, int64_t rows, const std::string& region = "US",
              int64_t modified_ms = 0) {
  DataFile file;
  file.path = "region=" + region + "/" + name;
  file.partition_values = {{"region", region}};
  file.rows = rows;
  file.size_bytes = std::max<int64_t>(rows, 0) * kBytesPerRow + 4000;
  file.modified_ms = modified_ms;
  return file;
}

std::vector<std::string> Names(const CompactionGroup& group) {
  std::vector<std::string> names;
  for (const DataFile& file : group.files) {
    names.push_back(file.path.substr(file.path.find('/') + 1));
  }
  return names;
}

TEST(PlanCompaction, MergesWithinAPartitionInOrderOfArrival) {
  const auto groups =
      PlanCompaction({File("c", 10, "US", 3), File("a", 10, "US", 5), File("x", 10, "EU"),
                      File("b", 10, "US", 1), File("y", 10, "EU")},
                     {});
  ASSERT_EQ(2U, groups.size());
  EXPECT_THAT(Names(groups[0]), ElementsAre("x", "y"));
  EXPECT_THAT(Names(groups[1]), ElementsAre("b", "c", "a"));
  EXPECT_EQ(3 * (10 * kBytesPerRow + 4000), groups[1].bytes);
}

TEST(PlanCompaction, LeavesAloneWhatIsSettled) {
  EXPECT_THAT(PlanCompaction({}, {}), IsEmpty());
  EXPECT_THAT(PlanCompaction({File("one", 5)}, {}), IsEmpty());
  const int64_t large = (32 << 20) / kBytesPerRow;
  EXPECT_THAT(PlanCompaction({File("a", large), File("b", large)}, {}), IsEmpty());
  EXPECT_THAT(PlanCompaction({File("a", large), File("b", 1)}, {}), IsEmpty());
  EXPECT_THAT(PlanCompaction({File("a", 100), File("b", 99)}, {}), IsEmpty());
  EXPECT_THAT(PlanCompaction({File("a", 100), File("b", 100)}, {}).size(), 1U);
}

TEST(PlanCompaction, WaitsForAsMuchGrowthAsAsked) {
  std::vector<DataFile> files = {File("big", 1000)};
  for (int i = 0; i < 7; ++i) files.push_back(File("f" + std::to_string(i), 100));
  EXPECT_THAT(PlanCompaction(files, {.growth = 8}), IsEmpty());
  files.push_back(File("f7", 100));
  const auto groups = PlanCompaction(files, {.growth = 8});
  ASSERT_EQ(1U, groups.size());
  EXPECT_EQ(8U, groups[0].files.size());  // Not the big one.
}

TEST(PlanCompaction, MergesFilesThatDoNotSayHowManyRowsTheyHave) {
  const auto groups = PlanCompaction({File("a", -1), File("b", -1)}, {});
  ASSERT_EQ(1U, groups.size());
}

TEST(PlanCompaction, BoundsTheFilesOfAMerge) {
  std::vector<DataFile> files;
  for (int i = 0; i < 2500; ++i) files.push_back(File("f" + std::to_string(i), 1));
  const auto groups = PlanCompaction(files, {.max_files = 1000});
  ASSERT_EQ(3U, groups.size());
  for (const auto& group : groups) EXPECT_LE(group.files.size(), 1000U);
}

// A partition as arrivals and merges change it. A file records how often its most rewritten row was
// rewritten.
class Simulation {
 public:
  Simulation(CompactionPlanOptions options, uint64_t seed) : options_(options), random_(seed) {}

  void Arrive(int64_t rows) { Add(rows, 0); }

  void Compact() {
    std::vector<DataFile> files;
    for (const auto& [path, live] : live_) files.push_back(live.file);
    std::set<std::string> seen;
    for (const CompactionGroup& group : PlanCompaction(files, options_)) {
      ASSERT_GE(group.files.size(), 2U);
      int64_t rows = 0;
      int rewrites = 0;
      int64_t bytes = 0;
      for (const DataFile& file : group.files) {
        ASSERT_TRUE(seen.insert(file.path).second) << "in two groups";
        const auto found = live_.find(file.path);
        ASSERT_NE(live_.end(), found);
        ASSERT_LT(file.size_bytes, options_.small_bytes) << "a settled file";
        rows += file.rows;
        bytes += file.size_bytes;
        rewrites = std::max(rewrites, found->second.rewrites);
        rows_written_ += file.rows;
        live_.erase(found);
      }
      ASSERT_LE(bytes, options_.target_bytes * 3 / 2);
      Add(rows, rewrites + 1);
    }
  }

  size_t SmallFiles() const {
    return static_cast<size_t>(std::count_if(live_.begin(), live_.end(), [&](const auto& entry) {
      return entry.second.file.size_bytes < options_.small_bytes;
    }));
  }
  int MostRewrites() const {
    int most = 0;
    for (const auto& [path, live] : live_) most = std::max(most, live.rewrites);
    return most;
  }
  int64_t rows() const {
    int64_t sum = 0;
    for (const auto& [path, live] : live_) sum += live.file.rows;
    return sum;
  }
  int64_t rows_written() const { return rows_written_; }

 private:
  struct Live {
    DataFile file;
    int rewrites;
  };

  void Add(int64_t rows, int rewrites) {
    DataFile file = File(std::to_string(next_), rows, "US", next_);
    ++next_;
    // Encoders do better with more rows, but not uniformly.
    const double bytes_per_row = std::uniform_real_distribution<>(15, 45)(random_);
    file.size_bytes = static_cast<int64_t>(static_cast<double>(rows) * bytes_per_row) + 4000;
    live_[file.path] = {file, rewrites};
  }

  const CompactionPlanOptions options_;
  std::mt19937_64 random_;
  std::map<std::string, Live> live_;
  int64_t next_ = 0;
  int64_t rows_written_ = 0;
};

// Whatever arrives, rows are rewritten a bounded number of times, no file grows too large, and the
// partition settles.
TEST(PlanCompaction, RewritesAreBoundedForAnyArrivals) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    CompactionPlanOptions options;
    options.growth = seed % 2 == 0 ? 8 : 2;
    Simulation simulation(options, seed);
    int64_t arrived = 0;
    for (int i = 0; i < 400; ++i) {
      const double magnitude = std::uniform_real_distribution<>(0, 14)(random);
      const auto rows = static_cast<int64_t>(std::exp(magnitude));
      arrived += rows;
      simulation.Arrive(rows);
      if (random() % 4 != 0) continue;
      ASSERT_NO_FATAL_FAILURE(simulation.Compact());
    }
    for (int i = 0; i < 20; ++i) ASSERT_NO_FATAL_FAILURE(simulation.Compact());
    const int64_t at_rest = simulation.rows_written();
    ASSERT_NO_FATAL_FAILURE(simulation.Compact());
    EXPECT_EQ(at_rest, simulation.rows_written());
    EXPECT_EQ(arrived, simulation.rows());
    // A file with more rows is settled at 15 bytes per row; the last merge may exceed this.
    const double settled_rows = (32 << 20) / 15.0;
    const double growth = static_cast<double>(options.growth);
    EXPECT_LE(simulation.MostRewrites(), std::log(settled_rows) / std::log(growth) + 1);
  }
}

// A day at 1,000 events/s: each region gets 333 rows per second, checked every 10 s.
TEST(PlanCompaction, ASteadyDayStaysWithinItsFileBound) {
  Simulation simulation({.growth = 8}, 7);
  size_t most_files = 0;
  for (int second = 0; second < 86'400; ++second) {
    simulation.Arrive(333);
    most_files = std::max(most_files, simulation.SmallFiles());
    if (second % 10 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(simulation.Compact());
  }
  EXPECT_LE(most_files, 60U);
  EXPECT_LE(simulation.MostRewrites(), 5);
  RecordProperty("most_small_files", static_cast<int>(most_files));
  RecordProperty("rewrites_per_row_x100",
                 static_cast<int>(simulation.rows_written() * 100 / simulation.rows()));
  EXPECT_LE(simulation.rows_written(), 5 * simulation.rows());
}

}  // namespace
}  // namespace shopstream::lake
