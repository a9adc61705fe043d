#include "backup/archive.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "backup/restored_table.h"
#include "backup/testing.h"
#include "base/error_kind.h"
#include "lake/delta/table_state.h"
#include "lake/testing.h"

namespace shopstream::backup {
namespace {

using lake::testing::FaultyStore;
using lake::testing::kPath;
using lake::testing::MemoryStore;
using simulate::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::JumpingClock;
using ::testing::SizeIs;

constexpr char kOld[] = "OLD";  // The partition that is moved.
constexpr char kPlaceName[] = "/cold";

// A table with rows that are named by numbers, and a place for its archive. Both stores fail on
// request; checks bypass the faults.
class ArchiveTest : public lake::testing::LakeTest {
 protected:
  void SetUp() override {
    Runtime::Simulate(&clock_);
    StartOver();
  }
  void TearDown() override { Runtime::Simulate(nullptr); }

  void StartOver() {
    Create({});
    place_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
    rows_of_.clear();
    all_.clear();
    Add(3, kOld);
    Add(2, kOld);
    Add(4, "EU");
  }
  void Add(int64_t count, const std::string& region) {
    Reopen();
    const auto first = std::ssize(all_);
    const DataFile file = Append(first, count, region);
    for (int64_t n = first; n < first + count; ++n) {
      rows_of_[file.path].push_back(n);
      all_.push_back(n);
    }
  }
  // What a compaction does.
  void MergeOld() {
    Reopen();
    const auto old = OldFiles(*table_);
    if (old.size() < 2) return;
    const DataFile merged = WriteFile(0, 1, kOld);
    for (const DataFile& file : old) {
      const auto& rows = rows_of_.at(file.path);
      auto& of_merged = rows_of_[merged.path];
      of_merged.insert(of_merged.end(), rows.begin(), rows.end());
    }
    Commit({merged}, old);
  }

  static std::vector<DataFile> OldFiles(const lake::Table& table) {
    auto files = table.snapshot()->Files();
    std::erase_if(files, [](const DataFile& file) {
      return file.partition_values != PartitionValues{{"region", kOld}};
    });
    return files;
  }

  // What refine::ReleaseArchived does.
  static Status Release(lake::Table* table, int64_t run, const std::string& digest) {
    ARROW_RETURN_NOT_OK(table->Refresh().status());
    const auto files = OldFiles(*table);
    if (tables::DigestOf(files) != digest) return Status::OK();
    const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
      ARROW_ASSIGN_OR_RAISE(const auto link, tables::ReadArchiveLink(now));
      if (!link || link->reserved != run) return lake::Refusal{.why = "a later run"};
      lake::Changes changes;
      changes.removes = files;
      changes.txns = tables::ArchivedTxn(run);
      return changes;
    };
    ARROW_ASSIGN_OR_RAISE(const auto done, table->Commit(prepare, BootClock::now() + Millis{200}));
    if (done.outcome == lake::CommitOutcome::kUnknown) return Unavailable(done.detail);
    return Status::OK();
  }

  Result<ArchiveResult> RunOn(lake::ObjectStore* lake, lake::ObjectStore* place,
                              bool after_restore = false,
                              const std::string& place_name = kPlaceName) {
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(lake, kPath));
    ArchiveOptions options;
    options.place = place_name;
    options.threads = 1;
    options.after_restore = after_restore;
    options.commit_deadline = Millis{200};
    const ArchiveHooks hooks{
        .find = [](const lake::Table& of) -> Result<std::vector<DataFile>> { return OldFiles(of); },
        .count_missing = [&](const lake::Snapshot&,
                             const std::vector<DataFile>& files) -> Result<int64_t> {
          ARROW_ASSIGN_OR_RAISE(const auto now, table->Refresh());
          std::set<int64_t> live;
          for (const DataFile& file : now->Files()) {
            const auto& rows = rows_of_.at(file.path);
            live.insert(rows.begin(), rows.end());
          }
          int64_t missing = 0;
          for (const DataFile& file : files) {
            for (const int64_t row : rows_of_.at(tables::NameInTable(file.path))) {
              missing += live.contains(row) ? 0 : 1;
            }
          }
          return missing;
        },
        .release = [&](int64_t run,
                       const std::string& digest) { return Release(table.get(), run, digest); }};
    return Archive(table.get(), place, options, hooks);
  }
  Result<ArchiveResult> Run() { return RunOn(store_.get(), place_.get()); }
  Result<ArchiveResult> RunHealthy() { return RunOn(store_->inner(), place_->inner()); }

  std::vector<int64_t> RowsOf(const lake::Snapshot& snapshot, FaultyStore* store) {
    std::vector<int64_t> rows;
    for (const DataFile& file : snapshot.Files()) {
      const auto object = store->inner()->Get(std::string(kPath) + "/" + file.path);
      EXPECT_TRUE(*object != nullptr) << file.path << " is missing";
      const auto& in_file = rows_of_.at(tables::NameInTable(file.path));
      rows.insert(rows.end(), in_file.begin(), in_file.end());
    }
    return rows;
  }
  std::shared_ptr<const lake::Snapshot> Newest() {
    return (*lake::Table::Open(store_->inner(), kPath))->snapshot();
  }
  // What a reader of a version of the table and of the archive sees now.
  std::vector<int64_t> Read(const lake::Snapshot& table) {
    std::vector<int64_t> rows = RowsOf(table, store_.get());
    const auto link = *tables::ReadArchiveLink(table);
    if (link) {
      const auto archive = tables::ReadReleased(place_->inner(), kPath, *link);
      EXPECT_TRUE(archive.ok()) << archive.status();
      if (archive.ok() && *archive != nullptr) {
        const auto more = RowsOf(**archive, place_.get());
        rows.insert(rows.end(), more.begin(), more.end());
      }
    }
    std::ranges::sort(rows);
    return rows;
  }
  std::vector<int64_t> Read() { return Read(*Newest()); }
  std::vector<int64_t> InArchive() {
    auto rows = RowsOf(*(*lake::Table::Open(place_->inner(), kPath))->snapshot(), place_.get());
    std::ranges::sort(rows);
    return rows;
  }
  // Each row is in exactly one of both for everybody.
  void CheckMoved() {
    const auto table = lake::Table::Open(store_->inner(), kPath).ValueOrDie();
    EXPECT_THAT(OldFiles(*table), IsEmpty());
    EXPECT_EQ(all_, Read());
    std::vector<int64_t> rows = RowsOf(*table->snapshot(), store_.get());
    for (const int64_t row : InArchive()) rows.push_back(row);
    std::ranges::sort(rows);
    EXPECT_EQ(all_, rows);
  }

  JumpingClock clock_;
  std::unique_ptr<FaultyStore> place_;
  std::map<std::string, std::vector<int64_t>> rows_of_;  // By the path of a file.
  std::vector<int64_t> all_;
};

TEST_F(ArchiveTest, MovesRowsAndTheNextRunAppends) {
  EXPECT_EQ(1, RunHealthy().ValueOrDie().run);
  CheckMoved();
  Add(2, kOld);
  const auto before = Newest();
  EXPECT_EQ(2, RunHealthy().ValueOrDie().run);
  CheckMoved();
  EXPECT_EQ(all_, Read(*before)) << "an earlier version of the table sees no row twice";
  EXPECT_EQ(0, RunHealthy().ValueOrDie().run) << "nothing is left to move";
  EXPECT_EQ(1, Newest()->Txns().count("app"));
}

TEST_F(ArchiveTest, NoRunCopiesToANameOfAnEarlierOne) {
  place_->On(Operation::kPutIfAbsent, "_delta_log/0").Skipping(1).FailsBefore().Always();
  ASSERT_FALSE(Run().ok());
  place_->Heal();
  const auto orphans = *place_->inner()->List(std::string(kPath) + "/region");
  EXPECT_THAT(orphans, SizeIs(2));
  ASSERT_TRUE(RunHealthy().ok());
  for (const auto& object : orphans) ASSERT_TRUE(place_->inner()->Delete(object.path).ok());
  CheckMoved();
  EXPECT_EQ("region=EU/a", tables::NameInTable(tables::CopyName("01234567", "region=EU/a")));
  EXPECT_EQ("region=EU/archived-x", tables::NameInTable("region=EU/archived-x"));
}

TEST_F(ArchiveTest, TheArchiveHasTheSchemaAndWhatDescribesIt) {
  Create({{"shopstream.readerSchema", "{}"},
          {"shopstream.horizon", "2025-01-01"},
          {"delta.checkpointInterval", "7"},
          {"owner", "shop"}});
  Add(1, kOld);
  ASSERT_TRUE(RunHealthy().ok());
  const auto archive = (*lake::Table::Open(place_->inner(), kPath))->snapshot();
  const auto& properties = archive->properties();
  EXPECT_TRUE(archive->schema()->Equals(*Newest()->schema()));
  EXPECT_THAT(archive->partition_columns(), ElementsAre("region"));
  EXPECT_EQ("{}", properties.at("shopstream.readerSchema"));
  EXPECT_EQ("7", properties.at("delta.checkpointInterval"));
  EXPECT_EQ("shop", properties.at("owner"));
  EXPECT_EQ(0, properties.count("shopstream.horizon"));
  EXPECT_EQ("false", properties.at("delta.enableExpiredLogCleanup"));
}

// Killed at every call of either store, in a world that changes before the next run.
TEST_F(ArchiveTest, KilledAnywhereNoRowIsLostOrDoubled) {
  std::minstd_rand random(20261130);
  for (const bool kill_at_place : {false, true}) {
    for (const bool reply_is_lost : {false, true}) {
      for (int call = 0;; ++call) {
        SCOPED_TRACE((kill_at_place ? "place, call " : "lake, call ") + std::to_string(call) +
                     (reply_is_lost ? ", done" : ", not done"));
        ASSERT_LT(call, 200);
        StartOver();
        if (random() % 2 == 0) {
          ASSERT_TRUE(RunHealthy().ok());
          Add(1, kOld);
          Add(1, kOld);
        }
        FaultyStore& first = kill_at_place ? *place_ : *store_;
        FaultyStore& other = kill_at_place ? *store_ : *place_;
        bool struck = false;
        auto& last = first.OnAny().Skipping(call).Calls([&](const std::string&) {
          struck = true;
          other.OnAny().FailsBefore().Always();
        });
        reply_is_lost ? last.LosesReply() : last.FailsBefore();
        first.OnAny().Skipping(call).FailsBefore().Always();
        const auto killed = Run();
        first.Heal();
        other.Heal();
        EXPECT_EQ(all_, Read()) << killed.status();
        switch (random() % 4) {
          case 0:
            MergeOld();
            break;
          case 1:
            Add(1, kOld);
            MergeOld();
            break;
          case 2:
            Add(1, kOld);
            break;
          default:
            break;
        }
        EXPECT_EQ(all_, Read());
        const auto done = RunHealthy();
        ASSERT_TRUE(done.ok()) << done.status();
        CheckMoved();
        if (!struck || HasFailure()) break;
      }
      if (HasFailure()) return;
    }
  }
}

// Another program acts at every call of either store.
TEST_F(ArchiveTest, AnotherRunOrACompactionMayComeBetweenAnyTwoCalls) {
  enum { kRun, kMerge, kLateRow };
  for (const int act : {kRun, kMerge, kLateRow}) {
    for (const bool at_place : {false, true}) {
      for (int call = 0;; ++call) {
        SCOPED_TRACE("act " + std::to_string(act) + (at_place ? ", place" : ", lake") + ", call " +
                     std::to_string(call));
        ASSERT_LT(call, 200);
        StartOver();
        bool struck = false;
        (at_place ? *place_ : *store_).OnAny().Skipping(call).Calls([&](const std::string&) {
          if (std::exchange(struck, true)) return;
          if (act == kLateRow) Add(1, kOld);
          if (act == kMerge) MergeOld();
          if (act == kRun) {
            const auto other = RunHealthy();
            EXPECT_TRUE(other.ok()) << other.status();
          }
          EXPECT_EQ(all_, Read());
        });
        const auto done = Run();
        EXPECT_TRUE(done.ok()) << done.status();
        store_->Heal();
        place_->Heal();
        EXPECT_EQ(all_, Read());
        ASSERT_TRUE(RunHealthy().ok());
        CheckMoved();
        if (!struck || HasFailure()) break;
      }
      if (HasFailure()) return;
    }
  }
}

TEST_F(ArchiveTest, ARestoredTableKeepsItsRowsAndTheArchiveGivesThemBack) {
  ASSERT_TRUE(RunHealthy().ok());
  Add(2, kOld);
  const std::string log = std::string(kPath) + "/_delta_log/";
  std::map<std::string, std::shared_ptr<arrow::Buffer>> backup;
  for (const auto& object : *store_->inner()->List(log)) {
    backup[object.path] = *store_->inner()->Get(object.path);
  }
  ASSERT_TRUE(RunHealthy().ok());
  for (const auto& object : *store_->inner()->List(log)) {
    if (!backup.contains(object.path)) Delete(object.path);
  }
  EXPECT_EQ(all_, Read()) << "before anybody does anything";
  const auto refused = RunHealthy();
  EXPECT_EQ(ErrorKind::kInvalid, KindOf(refused.status()));
  EXPECT_THAT(refused.status().message(), HasSubstr("--after-restore"));
  EXPECT_EQ(all_, Read());
  ASSERT_TRUE(RunOn(store_->inner(), place_->inner(), /*after_restore=*/true).ok());
  CheckMoved();
}

TEST_F(ArchiveTest, WhatTheRestoredTableLacksStaysInTheArchive) {
  const std::string log = std::string(kPath) + "/_delta_log/";
  ASSERT_TRUE(RunHealthy().ok());
  std::set<std::string> backup;
  for (const auto& object : *store_->inner()->List(log)) backup.insert(object.path);
  const auto of_backup = Read();
  Add(2, kOld);  // After the backup.
  ASSERT_TRUE(RunHealthy().ok());
  for (const auto& object : *store_->inner()->List(log)) {
    if (!backup.contains(object.path)) Delete(object.path);
  }
  EXPECT_EQ(of_backup, Read());
  Add(1, kOld);
  ASSERT_FALSE(RunHealthy().ok());
  const auto refused = RunOn(store_->inner(), place_->inner(), /*after_restore=*/true);
  EXPECT_EQ(ErrorKind::kInvalid, KindOf(refused.status()));
  EXPECT_THAT(refused.status().message(), HasSubstr("has 2 rows of runs after run 1"));
  EXPECT_THAT(InArchive(), ::testing::IsSupersetOf({9, 10}));
  rows_of_[Append(9, 2, kOld).path] = {9, 10};  // Ingest reads them again.
  ASSERT_TRUE(RunOn(store_->inner(), place_->inner(), /*after_restore=*/true).ok());
  CheckMoved();
}

TEST_F(ArchiveTest, ATableWithAnotherIdNeedsConsentOnce) {
  ASSERT_TRUE(RunHealthy().ok());
  Add(2, kOld);
  const auto newest = Newest();
  for (const DataFile& file : newest->Files()) {
    const std::string to = RestoredName("0123abcd", file.path);
    const auto object = *store_->inner()->Get(std::string(kPath) + "/" + file.path);
    ASSERT_TRUE(store_->inner()->Put(std::string(kPath) + "/" + to, *object).ok());
    rows_of_[to] = rows_of_.at(file.path);
  }
  const auto restored =
      *RestoredState(lake::StateOf(*newest), VersionAbove(newest->version(), 0), "0123abcd");
  ASSERT_TRUE(DeleteLog(store_->inner(), kPath).ok());
  ASSERT_TRUE(PublishLog(store_->inner(), kPath, restored, "0123abcd", "a backup").ok());
  const auto refused = RunHealthy();
  EXPECT_EQ(ErrorKind::kInvalid, KindOf(refused.status()));
  EXPECT_THAT(refused.status().message(), HasSubstr("--after-restore"));
  ASSERT_TRUE(RunOn(store_->inner(), place_->inner(), /*after_restore=*/true).ok());
  CheckMoved();
  Add(1, kOld);
  ASSERT_TRUE(RunHealthy().ok());
  CheckMoved();
}

TEST_F(ArchiveTest, APlaceIsFinalOnceItHasRows) {
  store_->On(Operation::kPutIfAbsent).Skipping(1).FailsBefore().Always();
  ASSERT_FALSE(Run().ok()) << "the archive has the rows, and the table as well";
  store_->Heal();
  place_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
  const auto moved = RunOn(store_->inner(), place_->inner(), false, "/other");
  ASSERT_TRUE(moved.ok()) << moved.status();
  CheckMoved();
  Add(1, kOld);
  EXPECT_THAT(RunHealthy().status().message(), HasSubstr("Give --to /other"));
}

TEST_F(ArchiveTest, AnArchiveThatBeginsWithALaterRunIsNotRead) {
  ASSERT_TRUE(RunHealthy().ok());
  const auto link = *tables::ReadArchiveLink(*Newest());
  for (int i = 0; i < 20; ++i) {
    Add(1, kOld);
    ASSERT_TRUE(RunHealthy().ok());
  }
  EXPECT_THAT(*tables::UnreleasedVersions(place_->inner(), kPath, *link), SizeIs(20));
  const auto newest = (*lake::Table::Open(place_->inner(), kPath))->snapshot();
  const auto restored =
      *RestoredState(lake::StateOf(*newest), VersionAbove(newest->version(), 0), "0123abcd");
  ASSERT_TRUE(DeleteLog(place_->inner(), kPath).ok());
  ASSERT_TRUE(PublishLog(place_->inner(), kPath, restored, "0123abcd", "a backup").ok());
  const auto read = tables::ReadReleased(place_->inner(), kPath, *link);
  EXPECT_EQ(ErrorKind::kGone, KindOf(read.status()));
  EXPECT_THAT(read.status().message(), HasSubstr("with no run of `table archive` in between"));
}

TEST_F(ArchiveTest, OnlyItsOwnArchiveIsUsed) {
  ASSERT_TRUE(lake::Table::OpenOrCreate(place_->inner(), lake::testing::SmallSpec()).ok());
  EXPECT_THAT(RunHealthy().status().message(), HasSubstr("already has a table bronze-events"));
  place_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
  ASSERT_TRUE(RunHealthy().ok());
  Add(1, kOld);
  place_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
  const auto link = *tables::ReadArchiveLink(*Newest());
  EXPECT_EQ(ErrorKind::kGone, KindOf(tables::ReadReleased(place_->inner(), kPath, *link).status()));
  EXPECT_THAT(RunHealthy().status().message(), HasSubstr("restore it before more rows"));
  ASSERT_TRUE(lake::Table::OpenOrCreate(place_->inner(), lake::testing::SmallSpec()).ok());
  EXPECT_THAT(RunHealthy().status().message(), HasSubstr("is not the archive"));
}

TEST_F(ArchiveTest, AnAppendOnlyTableKeepsItsRows) {
  ChangeProperties({{"delta.appendOnly", "true"}});
  EXPECT_THAT(RunHealthy().status().message(), HasSubstr("append-only"));
  EXPECT_EQ(all_, Read());
}

TEST_F(ArchiveTest, ARunWhoseCopiesWereRewrittenIsNotRepeatedBlindly) {
  place_->On(Operation::kPutIfAbsent).LosesReply();
  store_->On(Operation::kPutIfAbsent).Skipping(1).FailsBefore().Always();
  ASSERT_FALSE(Run().ok());
  store_->Heal();
  const auto archive = lake::Table::Open(place_->inner(), kPath).ValueOrDie();
  ASSERT_THAT(archive->snapshot()->Files(), SizeIs(2));
  lake::Changes changes;
  changes.removes = {archive->snapshot()->Files()[0]};
  ASSERT_TRUE(archive->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{200}).ok());
  const auto refused = RunHealthy();
  EXPECT_THAT(refused.status().message(), HasSubstr("to version 1"));
  EXPECT_EQ(all_, Read());
}

}  // namespace
}  // namespace shopstream::backup
