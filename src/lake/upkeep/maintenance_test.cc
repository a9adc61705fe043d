#include "lake/upkeep/maintenance.h"

#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lake/parquet/parquet_file.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

int NiceOfThisThread() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)));
}

class MaintenanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TableSpec spec;
    spec.path = "events";
    spec.schema = arrow::schema(
        {arrow::field("offset", arrow::int64()), arrow::field("region", arrow::utf8())});
    spec.partition_columns = {"region"};
    table_ = Table::OpenOrCreate(&store_, spec).ValueOrDie();
  }

  // One commit that adds `count` files of one row to a partition.
  void AddFiles(int count) {
    Changes changes;
    for (int i = 0; i < count; ++i) {
      arrow::Int64Builder offsets;
      ASSERT_TRUE(offsets.Append(i).ok());
      const auto rows = arrow::RecordBatch::Make(
          arrow::schema({arrow::field("offset", arrow::int64())}), 1, {*offsets.Finish()});
      changes.adds.push_back(
          WriteDataFile(&store_, "events", {{"region", "US"}}, rows).ValueOrDie());
    }
    changes.written_since = BootClock::now();
    const auto result = table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000});
    ASSERT_EQ(CommitOutcome::kCommitted, result.ValueOrDie().outcome);
  }

  // The priorities of the threads that write merged files, until the table has one file.
  std::vector<int> PrioritiesOfMerges() {
    std::mutex mutex;
    std::vector<int> found;
    store_.On(Operation::kOpenOutput, ".parquet")
        .Calls([&](const std::string&) {
          const std::lock_guard lock(mutex);
          found.push_back(NiceOfThisThread());
        })
        .Always();
    MaintenanceOptions options;
    options.metric_prefix = "shopstream_maintenance_test";
    options.interval = Millis{5};
    options.policy.growth = 1;
    {
      const Maintenance maintenance([this] { return std::vector{table_.get()}; }, options);
      const auto deadline = BootClock::now() + Millis{60'000};
      while (table_->snapshot()->Files().size() > 1 && BootClock::now() < deadline) {
        Sleep(Millis{5});
      }
    }
    EXPECT_EQ(1U, table_->snapshot()->Files().size());
    return found;
  }

  FaultyStore store_{std::make_unique<MemoryStore>()};
  std::unique_ptr<Table> table_;
};

TEST_F(MaintenanceTest, MergesAtLowPriority) {
  AddFiles(50);
  const std::vector<int> priorities = PrioritiesOfMerges();
  EXPECT_THAT(priorities, Not(IsEmpty()));
  EXPECT_THAT(priorities, Each(std::max(NiceOfThisThread(), 10)));
}

// At low priority on a busy machine, the files could become ever more.
TEST_F(MaintenanceTest, MergesAtNormalPriorityWhatWritersOvertake) {
  AddFiles(50);
  store_.On(Operation::kOpenInput, ".parquet").Calls([this](const std::string&) {
    for (int i = 0; i < 17; ++i) AddFiles(1);
  });
  const std::vector<int> priorities = PrioritiesOfMerges();
  ASSERT_THAT(priorities, Not(IsEmpty()));
  EXPECT_EQ(NiceOfThisThread(), priorities.back());
}

}  // namespace
}  // namespace shopstream::lake
