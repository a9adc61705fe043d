#include "lake/upkeep/expired_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lake/parquet/partition_path.h"
#include "lake/testing.h"

namespace shopstream::lake {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;  // The retention of our tables.

class ExpiredFilesTest : public testing::LakeTest {
 protected:
  // Removes the file in a commit whose clock showed `age_ms` ago.
  void Remove(const DataFile& file, int64_t age_ms) { RemovePath(file.path, age_ms); }
  void RemovePath(const std::string& path, int64_t age_ms) {
    LogEntry entry;
    entry.removes.push_back({path,
                             EncodeLogPath(path),
                             WallClockMillis() - age_ms,
                             /*data_change=*/true,
                             {{"region", "EU"}},
                             100});
    PutText(LogEntryPath(testing::kPath, table_->Refresh().ValueOrDie()->version() + 1),
            FormatLogEntry(entry));
  }
  ExpiredFiles Delete(int64_t since_ms = 0) {
    const auto expired = DeleteExpired(table_.get(), since_ms, [] { return false; });
    EXPECT_TRUE(expired.ok()) << expired.status();
    return expired.ValueOr(ExpiredFiles());
  }
};

TEST_F(ExpiredFilesTest, OnlyWhatWasRemovedBeforeTheRetentionIsDeleted) {
  const DataFile live = Append(0), recent = Append(10), old = Append(20);
  const DataFile uncommitted = WriteFile(30, 10);
  Remove(recent, kHour - kMinute);
  Remove(old, kHour + kMinute);
  EXPECT_EQ(Delete().files, 1);
  EXPECT_TRUE(Exists(live) && Exists(recent) && Exists(uncommitted));
  EXPECT_FALSE(Exists(old));
}

TEST_F(ExpiredFilesTest, TheOwnersRetentionCounts) {
  const DataFile old = Append(0);
  Remove(old, kHour + kMinute);
  ChangeProperties({{"delta.deletedFileRetentionDuration", "interval 2 hours"}});
  EXPECT_EQ(Delete().files, 0);
  ChangeProperties({{"delta.deletedFileRetentionDuration", "as long as you like"}});
  EXPECT_EQ(Delete().files, 0);
  EXPECT_TRUE(Exists(old));
}

TEST_F(ExpiredFilesTest, TheEarlierOfTheTwoClocksCounts) {
  const DataFile old = Append(0);
  Remove(old, kHour + kMinute);
  AdvanceClock(Millis{-5 * kMinute});
  EXPECT_EQ(Delete().files, 0);
  AdvanceClock(Millis{5 * kMinute});
  EXPECT_EQ(Delete().files, 1);
}

TEST_F(ExpiredFilesTest, AFileThatIsLiveAgainStays) {
  const DataFile old = Append(0);
  Remove(old, kHour + kMinute);
  Reopen();
  Commit({old});  // A RESTORE to an earlier version.
  EXPECT_EQ(Delete().files, 0);
  EXPECT_TRUE(Exists(old));
}

TEST_F(ExpiredFilesTest, EachFileIsDeletedOnce) {
  const DataFile first = Append(0), second = Append(10);
  Remove(first, kHour + 5 * kMinute);
  const ExpiredFiles expired = Delete();
  EXPECT_EQ(expired.files, 1);
  const int deletes = store_->Count(simulate::Operation::kDelete);
  EXPECT_EQ(Delete(expired.before_ms).files, 0);
  EXPECT_EQ(store_->Count(simulate::Operation::kDelete), deletes);
}

TEST_F(ExpiredFilesTest, WithoutExpiredFilesTheServersClockIsNotAsked) {
  Append(0);
  Delete();
  EXPECT_EQ(store_->Count(simulate::Operation::kNow), 0);
}

TEST_F(ExpiredFilesTest, WhatFailsIsDeletedByTheNextCall) {
  const DataFile first = Append(0), second = Append(10);
  Remove(first, kHour + kMinute);
  Remove(second, kHour + kMinute);
  store_->On(simulate::Operation::kDelete).Skipping(1).FailsBefore();
  EXPECT_TRUE(DeleteExpired(table_.get(), 0, [] { return false; }).status().IsIOError());
  store_->Heal();
  EXPECT_EQ(Delete().files, 2) << "deleting what is gone is harmless";
  EXPECT_FALSE(Exists(first) || Exists(second));
}

TEST_F(ExpiredFilesTest, AStopLeavesTheRestToTheNextCall) {
  const DataFile old = Append(0);
  Remove(old, kHour + kMinute);
  const auto stopped = DeleteExpired(table_.get(), 17, [] { return true; });
  EXPECT_EQ(stopped->files, 0);
  EXPECT_EQ(stopped->before_ms, 17);
  EXPECT_TRUE(Exists(old));
}

TEST_F(ExpiredFilesTest, PathsOutsideOfTheTableAreLeftAlone) {
  Append(0);
  for (const char* path : {"../other/x.parquet", "_delta_log/x.parquet", "region=EU/x.json"}) {
    RemovePath(path, kHour + kMinute);
  }
  EXPECT_EQ(Delete().files, 0);
}

// The state drops what is removed for long, but not before it can be deleted.
TEST_F(ExpiredFilesTest, ManyCommitsDoNotHideExpiredFiles) {
  const DataFile old = Append(0);
  Remove(old, kHour + kMinute);
  for (int i = 0; i < 120; ++i) Commit({});
  EXPECT_EQ(Delete().files, 1);
  EXPECT_FALSE(Exists(old));
}

}  // namespace
}  // namespace shopstream::lake
