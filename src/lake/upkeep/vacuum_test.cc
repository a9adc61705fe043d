#include "lake/upkeep/vacuum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using simulate::Operation;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kPath;

constexpr Millis kDay = std::chrono::hours(24);
constexpr Millis kLongAgo = std::chrono::hours(25);

bool Never() { return false; }

class VacuumTest : public testing::LakeTest {
 protected:
  VacuumResult Run(VacuumOptions options = {}) {
    auto result = Vacuum(table_.get(), options, Never);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ValueOr(VacuumResult());
  }
};

TEST_F(VacuumTest, TakesWhatNoVersionNamesOnceItIsOld) {
  const DataFile live = Append(0);
  const DataFile orphan = WriteFile(10, 10);
  EXPECT_EQ(0, Run().files);
  AdvanceClock(kDay - Millis{1000});
  EXPECT_EQ(0, Run().files);
  AdvanceClock(Millis{2000});
  const VacuumResult result = Run();
  EXPECT_EQ(1, result.files);
  EXPECT_EQ(orphan.size_bytes, result.bytes);
  EXPECT_EQ(2, result.files_seen);
  EXPECT_TRUE(Exists(live));
  EXPECT_FALSE(Exists(orphan));
}

TEST_F(VacuumTest, ADryRunOnlyTells) {
  const DataFile orphan = WriteFile(0, 10);
  AdvanceClock(kLongAgo);
  std::vector<std::string> told;
  VacuumOptions options;
  options.dry_run = true;
  options.on_file = [&](const ObjectEntry& file) { told.push_back(file.path); };
  EXPECT_EQ(1, Run(options).files);
  EXPECT_THAT(told, ElementsAre(orphan.path));
  EXPECT_TRUE(Exists(orphan));
  EXPECT_EQ(0, store_->Count(Operation::kDelete));
  EXPECT_EQ(0, store_->Count(Operation::kRemoveAbandonedWrites));
}

TEST_F(VacuumTest, ADryRunNeedsNoPermissionToWrite) {
  const DataFile orphan = WriteFile(0, 10);
  // Like a store that reads its clock by writing, and refuses every write.
  store_->On(Operation::kNow).FailsBefore().Always();
  store_->On(Operation::kPut).FailsBefore().Always();
  store_->On(Operation::kPutIfAbsent).FailsBefore().Always();
  store_->On(Operation::kOpenOutput).FailsBefore().Always();
  VacuumOptions options;
  options.dry_run = true;
  options.force = true;
  options.retention = Millis{-1000};  // The server's clock has not moved.
  EXPECT_EQ(1, Run(options).files);
  EXPECT_TRUE(Exists(orphan));
  options.dry_run = false;
  EXPECT_TRUE(Vacuum(table_.get(), options, Never).status().IsIOError());
}

TEST_F(VacuumTest, SparesWhatReadersOfOlderVersionsMayBeAt) {
  Create({{"delta.deletedFileRetentionDuration", "interval 3 hours"}});
  const DataFile small = Append(0);
  const DataFile large = WriteFile(0, 10);
  Commit({large}, {small});
  AdvanceClock(kLongAgo);
  Reopen();
  EXPECT_EQ(0, Run().files);  // Removed just now, by the remover's clock.
  EXPECT_TRUE(Exists(small));
}

TEST_F(VacuumTest, SparesUnnamedFilesForAsLongAsTheTableAsks) {
  for (const char* retention : {"INTERVAL 3 DAYS", "interval 1 months"}) {
    Create({{"delta.deletedFileRetentionDuration", retention}});
    Append(0);
    const DataFile orphan = WriteFile(10, 10);
    AdvanceClock(kLongAgo);
    EXPECT_EQ(0, Run().files) << retention;
    EXPECT_TRUE(Exists(orphan));
    VacuumOptions forced;
    forced.force = true;
    EXPECT_EQ(1, Run(forced).files) << retention;
  }
}

TEST_F(VacuumTest, TakesWhatWasRemovedLongerAgo) {
  const DataFile small = Append(0);
  const DataFile large = WriteFile(0, 10);
  Commit({large}, {small});
  ChangeProperties({{"delta.deletedFileRetentionDuration", "interval 0 seconds"}});
  AdvanceClock(kLongAgo);
  EXPECT_EQ(1, Run().files);
  EXPECT_FALSE(Exists(small));
  EXPECT_TRUE(Exists(large));
}

TEST_F(VacuumTest, NeverTouchesWhatIsHiddenOrNotData) {
  for (const char* path :
       {"region=EU/_hidden.parquet", "region=EU/.part.parquet.torn",
        "region=EU/_temporary/part.parquet", "_change_data/part.parquet", "region=EU/notes.txt",
        ".hidden/part.parquet", "nested/_delta_log/00000000000000000000.json",
        "nested/part.parquet", "region=EU/deep/_delta_log/00000000000000000000.json",
        "region=EU/deep/part.parquet"}) {
    PutText(std::string(kPath) + "/" + path, "x");
  }
  PutText("bronze-events-2/region=EU/part.parquet", "x");  // Another table's.
  const size_t objects = store_->inner()->List("").ValueOrDie().size();
  AdvanceClock(kLongAgo);
  EXPECT_EQ(0, Run().files);
  EXPECT_EQ(objects, store_->inner()->List("").ValueOrDie().size());
}

TEST_F(VacuumTest, AnAppendThatLandsAfterTheListingIsSpared) {
  const DataFile late = WriteFile(0, 10);
  AdvanceClock(kLongAgo);
  store_->On(Operation::kList, "region=EU").Calls([&](const std::string&) {
    const auto other = Table::Open(store_->inner(), kPath).ValueOrDie();
    Changes changes;
    changes.adds = {late};
    changes.written_since = BootClock::now();
    ASSERT_TRUE(other->Commit(Unconditionally(changes), BootClock::now() + Millis{10000}).ok());
  });
  EXPECT_EQ(0, Run().files);
  EXPECT_TRUE(Exists(late));
}

TEST_F(VacuumTest, WithoutALookAtTheNewestVersionNothingGoes) {
  const DataFile orphan = WriteFile(0, 10);
  AdvanceClock(kLongAgo);
  store_->On(Operation::kGet, "_delta_log").Skipping(1).FailsBefore().Always();
  EXPECT_TRUE(Vacuum(table_.get(), {}, Never).status().IsIOError());
  EXPECT_TRUE(Exists(orphan));
}

TEST_F(VacuumTest, LessThanADayIsRefusedUnlessForced) {
  const DataFile orphan = WriteFile(0, 10);
  AdvanceClock(Millis{10});
  VacuumOptions options;
  options.retention = Millis{0};
  const Status refused = Vacuum(table_.get(), options, Never).status();
  EXPECT_TRUE(refused.IsInvalid());
  EXPECT_THAT(refused.message(), HasSubstr("files of commits in progress"));
  EXPECT_TRUE(Exists(orphan));
  options.force = true;
  EXPECT_EQ(1, Run(options).files);
  EXPECT_FALSE(Exists(orphan));
}

TEST_F(VacuumTest, GivesUpAbandonedWritesOfTheSameAge) {
  Run();
  EXPECT_EQ(1, store_->Count(Operation::kRemoveAbandonedWrites));
}

TEST_F(VacuumTest, StopsWhenAsked) {
  for (int i = 0; i < 5; ++i) WriteFile(i, 1);
  AdvanceClock(kLongAgo);
  int deleted = 0;
  VacuumOptions options;
  options.on_file = [&](const ObjectEntry&) { ++deleted; };
  const auto result = Vacuum(table_.get(), options, [&] { return deleted == 2; });
  EXPECT_FALSE(result->finished);
  EXPECT_EQ(2, result->files);
  EXPECT_EQ(3, Run().files);
}

TEST_F(VacuumTest, TwoAtOnceTakeEachFileOnce) {
  Append(0);
  for (int i = 0; i < 5; ++i) WriteFile(i, 1);
  AdvanceClock(kLongAgo);
  const std::string before = Described();
  store_->On(Operation::kDelete).Calls([this](const std::string&) {
    const auto other = Table::Open(store_->inner(), kPath).ValueOrDie();
    EXPECT_TRUE(Vacuum(other.get(), {}, Never).ok());
  });
  EXPECT_EQ(5, Run().files);
  EXPECT_EQ(before, Described());
}

TEST_F(VacuumTest, KilledAnywhereItLeavesTheTableAsItWas) {
  std::vector<DataFile> orphans;
  DataFile young;
  std::string before;
  const auto prepare = [&] {
    Create({});
    const DataFile merged = Append(0);
    Append(10, 10, "US");
    Commit({WriteFile(0, 10)}, {merged});
    orphans = {WriteFile(20, 5), WriteFile(30, 5, "US"), WriteFile(40, 5, "ASIA")};
    AdvanceClock(kLongAgo);
    young = WriteFile(50, 5);
    before = Described();
  };
  const auto act = [&] { (void)Vacuum(table_.get(), {}, Never); };
  KillEverywhere(prepare, act, [&] {
    EXPECT_EQ(before, Described());
    EXPECT_TRUE(Exists(young));
    Run();  // The next one finishes the work.
    for (const DataFile& orphan : orphans) EXPECT_FALSE(Exists(orphan));
    EXPECT_TRUE(Exists(young));
    EXPECT_EQ(before, Described());
  });
}

}  // namespace
}  // namespace shopstream::lake
