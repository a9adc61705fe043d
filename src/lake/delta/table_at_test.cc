#include "lake/delta/table_at.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/error_kind.h"
#include "base/json.h"
#include "lake/delta/log_cleanup.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_state.h"
#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using simulate::Operation;
using ::testing::HasSubstr;
using testing::kPath;

std::string Shown(const Snapshot& snapshot) {
  std::string out = std::to_string(snapshot.version()) + " " + snapshot.schema()->ToString();
  for (const auto& [name, value] : snapshot.properties()) out += "\n" + name + "=" + value;
  for (const auto& [app_id, version] : snapshot.Txns()) {
    out += "\n" + app_id + "@" + std::to_string(version);
  }
  for (const DataFile& file : snapshot.Files()) out += "\n" + file.path + " " + file.statistics;
  return out;
}

class TableAtTest : public testing::LakeTest {
 protected:
  void SetUp() override { Create({{"delta.checkpointInterval", "10"}}); }

  // Versions up to `last`, of which each third one replaces a file.
  void Grow(int64_t last) {
    while (table_->snapshot()->version() < last) {
      const int64_t next = table_->snapshot()->version() + 1;
      DataFile file = Fake(next);
      if (next % 3 == 0) {
        Commit({file}, {table_->snapshot()->Files().front()});
      } else {
        Commit({file});
      }
      if (next % 10 == 0) Reopen();  // Waits for the checkpoint.
      shown_[next] = Shown(*table_->snapshot());
    }
  }
  void DeleteEntries(int64_t first, int64_t last) {
    for (int64_t version = first; version <= last; ++version) {
      Delete(LogEntryPath(kPath, version));
    }
  }
  Status At(int64_t version) { return SnapshotAt(store_.get(), kPath, version).status(); }
  int64_t VersionOf(int64_t unix_ms) {
    return VersionAt(store_.get(), kPath, unix_ms).ValueOrDie();
  }
  // An entry of another writer, with its clock's time.
  void CommitAt(int64_t unix_ms) {
    const int64_t version = (*Table::Open(store_->inner(), kPath))->snapshot()->version() + 1;
    PutText(LogEntryPath(kPath, version),
            R"({"commitInfo":{"timestamp":)" + std::to_string(unix_ms) + "}}\n");
  }

  std::map<int64_t, std::string> shown_;  // By version.
};

TEST_F(TableAtTest, EachVersionIsWhatItWasThen) {
  Grow(9);
  ChangeProperties({{"delta.checkpointInterval", "10"}, {"owner", "shop"}});  // Version 10.
  Reopen();
  Grow(34);
  for (const auto& [version, shown] : shown_) {
    EXPECT_EQ(shown, Shown(**SnapshotAt(store_.get(), kPath, version)));
  }
  EXPECT_EQ(0, (*SnapshotAt(store_.get(), kPath, 0))->file_count());
  // Not every checkpoint can be read: the one before serves as well.
  PutText(LogFolder(kPath) + ZeroPadded(30, 20) + ".checkpoint.parquet", "not Parquet");
  EXPECT_EQ(shown_[32], Shown(**SnapshotAt(store_.get(), kPath, 32)));
}

TEST_F(TableAtTest, AnErrorNamesWhatTheLogHas) {
  Grow(25);
  EXPECT_TRUE(SnapshotAt(store_.get(), "elsewhere", 1).status().IsKeyError());
  EXPECT_TRUE(VersionAt(store_.get(), "elsewhere", 1).status().IsKeyError());
  EXPECT_EQ(ErrorKind::kInvalid, KindOf(At(26)));
  EXPECT_THAT(At(26).message(), HasSubstr("has no version 26: its newest is version 25"));
  AdvanceClock(std::chrono::hours(25));
  ASSERT_EQ(
      21, CleanUpLog(store_.get(), kPath, table_->snapshot()->properties(), *store_->Now(), {}, [] {
            return false;
          })->deleted);
  EXPECT_EQ(ErrorKind::kGone, KindOf(At(19)));
  EXPECT_THAT(At(19).message(),
              HasSubstr("no longer has version 19: its log begins at version 20 of 2"));
  for (int64_t version = 20; version <= 25; ++version) {
    EXPECT_EQ(shown_[version], Shown(**SnapshotAt(store_.get(), kPath, version)));
  }
  const Status early = VersionAt(store_.get(), kPath, 0).status();
  EXPECT_EQ(ErrorKind::kGone, KindOf(early));
  EXPECT_THAT(early.message(), HasSubstr("has no version of 1970-01-01T00:00:00.000Z: its log "
                                         "begins at version 20 of 2"));
  // Another program's clean-up leaves the checkpoint alone.
  DeleteEntries(20, 20);
  EXPECT_EQ(shown_[20], Shown(**SnapshotAt(store_.get(), kPath, 20)));
  EXPECT_THAT(VersionAt(store_.get(), kPath, 0).status().message(), HasSubstr("at version 21 of"));
}

TEST_F(TableAtTest, ATimeFindsTheNewestVersionByThen) {
  PutText(LogEntryPath(kPath, 0), [&] {
    auto entry = *ReadLogEntry(store_.get(), kPath, 0);
    (*entry->commit_info)["timestamp"] = 1000;
    return FormatLogEntry(*entry);
  }());
  for (const int64_t unix_ms : {2000, 3000, 3000, 5000, 8000, 9000}) CommitAt(unix_ms);
  EXPECT_EQ(0, VersionOf(1000));
  EXPECT_EQ(0, VersionOf(1999));
  EXPECT_EQ(1, VersionOf(2000));
  EXPECT_EQ(3, VersionOf(3000));
  EXPECT_EQ(3, VersionOf(4999));
  EXPECT_EQ(5, VersionOf(8500));
  EXPECT_EQ(6, VersionOf(9000));
  EXPECT_EQ(6, VersionOf(1'000'000'000'000));
  EXPECT_FALSE(VersionAt(store_.get(), kPath, 999).ok());
  EXPECT_EQ(5000, *CommitTime(store_.get(), kPath, 4));
  EXPECT_EQ(std::nullopt, *CommitTime(store_.get(), kPath, 7));
  // Without commitInfo it is the object's time.
  PutText(LogEntryPath(kPath, 7), R"({"txn":{"appId":"a","version":1}})");
  EXPECT_EQ(*store_->Now(), *CommitTime(store_.get(), kPath, 7));
}

TEST_F(TableAtTest, ACleanUpMayOvertakeTheReader) {
  Grow(25);
  // It has listed entries 0 to 5; while it reads them, they are cleaned up.
  store_->On(Operation::kGet, "00000000000000000003.json").Calls([this](const std::string&) {
    DeleteEntries(0, 9);
  });
  EXPECT_EQ(ErrorKind::kGone, KindOf(At(5)));
  EXPECT_EQ(shown_[12], Shown(**SnapshotAt(store_.get(), kPath, 12)));
}

}  // namespace
}  // namespace shopstream::lake
