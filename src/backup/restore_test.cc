#include "backup/restore.h"

#include <gmock/gmock.h>

#include <tuple>

#include "backup/create.h"
#include "backup/prune.h"
#include "backup/testing.h"
#include "backup/turn.h"
#include "backup/verify.h"
#include "base/error_kind.h"
#include "lake/delta/table_history.h"
#include "lake/delta/table_state.h"
#include "lake/testing.h"

namespace shopstream::backup {
namespace {

using lake::CommitOutcome;
using lake::testing::FaultyStore;
using lake::testing::kPath;
using lake::testing::MemoryStore;
using simulate::Operation;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::JumpingClock;
using ::testing::SizeIs;

class RestoreTest : public lake::testing::LakeTest {
 protected:
  Result<Manifest> TryCreate() {
    return backup::Create(store_.get(), place_.get(), config_.lake, config_.refine, {});
  }
  // Another table of the same lake, with the files of the first.
  void CreateSide() {
    lake::TableSpec spec = lake::testing::SmallSpec();
    spec.path = std::string(kPath) + "-side";
    const auto side = lake::Table::OpenOrCreate(store_->inner(), spec).ValueOrDie();
    lake::Changes changes;
    for (const DataFile& file : table_->snapshot()->Files()) {
      const auto content = store_->inner()->Get(std::string(kPath) + "/" + file.path).ValueOrDie();
      ASSERT_TRUE(store_->inner()->Put(spec.path + "/" + file.path, *content).ok());
      changes.adds.push_back(file);
    }
    changes.written_since = BootClock::now();
    ASSERT_TRUE(side->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{5000}).ok());
  }
  Manifest CreateOne() { return TryCreate().ValueOrDie(); }
  Result<RestoreReport> TryRestore(const RestoreOptions& options = {}) {
    return Restore(place_.get(), store_.get(), config_.lake, config_.refine, options);
  }
  VerifyReport VerifyAll() { return Verify(place_.get(), {}).ValueOrDie(); }

  static std::unique_ptr<FaultyStore> NewPlace() {
    return std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
  }
  void DestroyLake() {
    for (const auto& object : *store_->inner()->List("")) Delete(object.path);
  }
  void PutInPlace(const std::string& path, const std::string& text) {
    ASSERT_TRUE(place_->Put(path, *arrow::Buffer::FromString(text)).ok());
  }
  std::vector<std::string> PlaceNames(const std::string& prefix) {
    std::vector<std::string> names;
    for (const auto& object : *place_->List(prefix, "")) names.push_back(object.path);
    return names;
  }
  static std::string IdOf(const lake::Table& table) {
    return lake::StateOf(*table.snapshot()).metadata().id;
  }
  int64_t Rows() {
    int64_t rows = 0;
    const auto table = lake::Table::Open(store_->inner(), kPath).ValueOrDie();
    for (const DataFile& file : table->snapshot()->Files()) {
      EXPECT_TRUE(Exists(file)) << file.path;
      rows += file.rows;
    }
    return rows;
  }

  // By the writer that knows the table from before, on this clock.
  void ExpectRefusedCommit(JumpingClock* clock) {
    lake::Changes changes;
    changes.adds = {WriteFile(50, 5)};
    changes.written_since = BootClock::now();
    Runtime::Simulate(clock);
    const auto commit =
        table_->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{600'000});
    Runtime::Simulate(nullptr);
    EXPECT_THAT(commit.status().message(), HasSubstr("replaced by another one"));
  }

  std::unique_ptr<FaultyStore> place_ = NewPlace();
  Config config_;
};

TEST_F(RestoreTest, BringsBackWhatTheBackupHas) {
  Append(0);
  Append(10);
  const std::string id = IdOf(*table_);
  const Manifest manifest = CreateOne();
  EXPECT_EQ(2, manifest.copied_files);
  Append(20);
  DestroyLake();

  const RestoreReport report = TryRestore().ValueOrDie();
  ASSERT_THAT(report.tables, SizeIs(1));
  const int64_t version = report.tables[0].version;
  EXPECT_GT(version, 1'000'002);
  Reopen();
  EXPECT_EQ(20, Rows());
  EXPECT_EQ(2, table_->snapshot()->Txn("app"));
  EXPECT_NE(id, IdOf(*table_));
  Append(30);  // Writers continue.
  EXPECT_EQ(30, Rows());
  EXPECT_EQ(version + 1, table_->snapshot()->version());
  EXPECT_FALSE(Exists(".shopstream-restore.json"));
}

TEST_F(RestoreTest, AnEarlierBackupCanBeChosen) {
  Append(0);
  const std::string first = CreateOne().id;
  Append(10);
  CreateOne();
  DestroyLake();
  ASSERT_TRUE(TryRestore({.backup = first}).ok());
  EXPECT_EQ(10, Rows());
}

TEST_F(RestoreTest, CopiesOnlyWhatIsNotThere) {
  Append(0);
  CreateOne();
  Append(10);
  EXPECT_EQ(1, CreateOne().copied_files);
  DestroyLake();
  ASSERT_TRUE(TryRestore().ok());
  Reopen();
  EXPECT_EQ(0, CreateOne().copied_files);  // The new names are those of the same files.
  Append(20);
  EXPECT_EQ(1, CreateOne().copied_files);
  EXPECT_THAT(VerifyAll().damages, IsEmpty());
}

TEST_F(RestoreTest, RefusesALakeThatHasTables) {
  Append(0);
  CreateOne();
  const auto refused = TryRestore();
  EXPECT_THAT(refused.status().message(), AllOf(HasSubstr(kPath), HasSubstr("--in-place")));
  Append(10);
  EXPECT_EQ(20, Rows());
}

TEST_F(RestoreTest, InPlaceReplacesTheTables) {
  Append(0);
  CreateOne();
  Append(10);
  const RestoreReport report = TryRestore({.in_place = true}).ValueOrDie();
  EXPECT_GT(report.tables[0].version, 1'000'002);  // Above the newest version of the old log.
  EXPECT_EQ(10, Rows());
  // The writer that knew the old table notices.
  lake::Changes changes;
  changes.adds = {WriteFile(50, 5)};
  changes.written_since = BootClock::now();
  const auto commit =
      table_->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{5000});
  EXPECT_THAT(commit.status().message(), HasSubstr("replaced by another one"));
  EXPECT_EQ(10, Rows());
}

TEST_F(RestoreTest, ADamagedBackupReplacesNothing) {
  Append(0);
  CreateSide();
  const Manifest manifest = CreateOne();
  ASSERT_THAT(manifest.tables, SizeIs(2));
  Append(10);
  const std::string before = Described();
  const BackedUpTable& last = manifest.tables.back();
  const std::string file = ReadFileList(place_.get(), last).ValueOrDie().front().path;
  for (const std::string& object :
       {last.logs.front().path, last.list.path, StoredDataPath(last.path, file)}) {
    SCOPED_TRACE(object);
    const std::string good((*place_->Get(object))->ToString());
    std::string bad = good;
    bad[bad.size() / 2] ^= 1;
    for (const bool missing : {false, true}) {
      PutInPlace(object, bad);
      ASSERT_TRUE(!missing || place_->Delete(object).ok());
      const Status refused = TryRestore({.in_place = true}).status();
      EXPECT_EQ(ErrorKind::kCorrupt, KindOf(refused)) << refused;
      EXPECT_THAT(refused.message(), HasSubstr(object));
      EXPECT_EQ(before, Described());
    }
    PutInPlace(object, good);
  }
  Append(20);  // The old table is not replaced for its writer either.
  ASSERT_TRUE(TryRestore({.in_place = true}).ok());
  EXPECT_EQ(10, Rows());
}

TEST_F(RestoreTest, TheNextRestoreOfOneBackupBeginsAboveTheLostVersions) {
  Append(0);
  CreateOne();
  DestroyLake();
  ASSERT_TRUE(TryRestore().ok());
  Reopen();
  Append(10);
  const int64_t lost = table_->snapshot()->version();
  DestroyLake();
  EXPECT_GT(TryRestore().ValueOrDie().tables[0].version, lost);
}

TEST_F(RestoreTest, AMarkerThatWasLeftDoesNotStopTheNextRestore) {
  Append(0);
  CreateOne();
  DestroyLake();
  store_->On(Operation::kDelete, ".shopstream-restore.json").FailsBefore();
  ASSERT_FALSE(TryRestore().ok());  // Killed after its last table became visible.
  Reopen();
  Append(10);
  const int64_t before = table_->snapshot()->version();
  EXPECT_THAT(TryRestore().status().message(), HasSubstr("--in-place"));
  EXPECT_EQ(20, Rows());
  EXPECT_GT(TryRestore({.in_place = true}).ValueOrDie().tables[0].version, before);
  EXPECT_EQ(10, Rows());
}

TEST_F(RestoreTest, AWriterSuspendedBeforeItsPutChangesNothing) {
  Append(0);
  Append(10);
  CreateOne();
  Append(20);
  JumpingClock clock;
  store_->On(Operation::kPutIfAbsent, lake::LogEntryPath(kPath, 4)).Calls([&](const std::string&) {
    const JumpingClock::InReality real;
    DestroyLake();
    ASSERT_TRUE(TryRestore().ok());
    clock.Jump(Millis{60'000});
  });
  ExpectRefusedCommit(&clock);
  EXPECT_EQ(20, Rows());
  EXPECT_FALSE(Exists(lake::LogEntryPath(kPath, 4)));
  Reopen();
  Append(30);
  EXPECT_EQ(30, Rows());
}

// Another program may have made a table there, whose log counts from 0.
TEST_F(RestoreTest, AWriterSuspendedAfterItsPutDeletesNoEntryOfAnotherTable) {
  JumpingClock clock;
  store_->On(Operation::kPutIfAbsent, lake::LogEntryPath(kPath, 1)).Calls([&](const std::string&) {
    clock.Jump(Millis{60'000});
  });
  store_->On(Operation::kGet, lake::LogEntryPath(kPath, 0)).Skipping(1).Calls([&](const auto&) {
    const JumpingClock::InReality real;
    DestroyLake();
    const auto other =
        lake::Table::OpenOrCreate(store_->inner(), lake::testing::SmallSpec()).ValueOrDie();
    lake::Changes changes;
    changes.adds = {WriteFile(60, 7)};
    changes.written_since = BootClock::now();
    const auto done =
        other->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{5000});
    ASSERT_EQ(1, done.ValueOrDie().version);
  });
  ExpectRefusedCommit(&clock);
  EXPECT_EQ(7, Rows());
}

TEST_F(RestoreTest, AVacuumSuspendedBeforeItsDeletesTouchesNoRestoredFile) {
  const DataFile old = Append(0);
  CreateOne();
  Commit({}, {old});
  bool restored = false;
  store_->On(Operation::kDelete, old.path).Calls([&](const std::string&) {
    restored = true;
    DestroyLake();
    ASSERT_TRUE(TryRestore().ok());
  });
  ASSERT_TRUE(store_->Delete(std::string(kPath) + "/" + old.path).ok());
  ASSERT_TRUE(restored);
  EXPECT_EQ(10, Rows());  // Each file exists.
}

TEST_F(RestoreTest, AKilledCreatePublishesNothingAndTheNextOneFinishes) {
  Append(0);
  Append(10);
  for (int call = 0;; ++call) {
    SCOPED_TRACE(call);
    ASSERT_LT(call, 200);
    place_ = NewPlace();
    bool struck = false;
    place_->OnAny().Skipping(call).Calls([&](const std::string&) { struck = true; }).LosesReply();
    place_->OnAny().Skipping(call).FailsBefore().Always();
    const bool published = TryCreate().ok();
    place_->Heal();
    EXPECT_TRUE(published || struck);
    EXPECT_EQ(2, CreateOne().files());
    EXPECT_THAT(VerifyAll().damages, IsEmpty());
    if (!struck) break;
  }
}

TEST_F(RestoreTest, AFileDeletedBeforeItIsCopiedMeansNewerVersions) {
  const DataFile first = Append(0);
  store_->On(Operation::kOpenInput, first.path).Calls([&](const std::string&) {
    const DataFile merged = WriteFile(0, 10);
    Commit({merged}, {first});
    Delete(std::string(kPath) + "/" + first.path);
  });
  EXPECT_EQ(2, CreateOne().tables[0].version);
  EXPECT_THAT(VerifyAll().damages, IsEmpty());
}

TEST_F(RestoreTest, AMissingFileOfTheLakeIsNamed) {
  const DataFile file = Append(0);
  Delete(std::string(kPath) + "/" + file.path);
  const Status failed = TryCreate().status();
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(failed));
  EXPECT_THAT(failed.message(), HasSubstr(file.path));
  EXPECT_THAT(ReadBackups(place_.get())->finished, IsEmpty());
}

TEST_F(RestoreTest, DamageIsFoundAndNamedAndNotRestored) {
  const DataFile one = Append(0);
  const DataFile two = Append(10);
  CreateOne();
  const std::string first = StoredDataPath(kPath, one.path);
  const std::string second = StoredDataPath(kPath, two.path);
  std::string text((*place_->Get(first))->ToString());
  text[text.size() / 2] ^= 1;
  PutInPlace(first, text);
  ASSERT_TRUE(place_->Delete(second).ok());
  const VerifyReport report = VerifyAll();
  ASSERT_THAT(report.damages, SizeIs(2));
  EXPECT_EQ(second, report.damages[0].object);
  EXPECT_EQ("missing", report.damages[0].what);
  EXPECT_EQ(first, report.damages[1].object);
  EXPECT_THAT(report.damages[1].what, HasSubstr("SHA-256"));

  DestroyLake();
  const Status refused = TryRestore().status();
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(refused));
  EXPECT_THAT(lake::FindTables(store_->inner()).ValueOrDie(), IsEmpty());
}

TEST_F(RestoreTest, ADamagedManifestListOrLogIsFound) {
  Append(0);
  const Manifest manifest = CreateOne();
  PutInPlace(manifest.tables[0].list.path, "x\n");
  PutInPlace(manifest.tables[0].logs[0].path, "x");
  EXPECT_THAT(VerifyAll().damages, SizeIs(::testing::Ge(2)));
  EXPECT_THAT(VerifyAll().damages.back().what, HasSubstr("cannot be repaired"));
  PutInPlace(ManifestPath(manifest.id), "{");
  const VerifyReport report = VerifyAll();
  ASSERT_THAT(report.damages, SizeIs(1));
  EXPECT_EQ(ManifestPath(manifest.id), report.damages[0].object);
}

TEST_F(RestoreTest, ADamagedManifestLeavesTheOtherBackupsUsable) {
  Append(0);
  const Manifest good = CreateOne();
  const std::string newer = "99991231T000000.000Z";
  for (const char* damaged : {"{", R"({"format": "x"})", R"({"format": 9})"}) {
    PutInPlace(ManifestPath(newer), damaged);
    EXPECT_THAT(FindBackup(place_.get(), "").status().message(),
                AllOf(HasSubstr(ManifestPath(newer)), HasSubstr(good.id)));
    EXPECT_EQ(good.id, FindBackup(place_.get(), good.id).ValueOrDie().id);
    EXPECT_THAT(VerifyAll().damages, SizeIs(1));
    const auto before = PlaceNames("");
    EXPECT_THAT(Prune(place_.get(), {.rule = {.keep = 1}}).status().message(),
                HasSubstr(ManifestPath(newer)));
    EXPECT_EQ(before, PlaceNames(""));
  }
  EXPECT_EQ(0, CreateOne().copied_files);
  DestroyLake();
  EXPECT_TRUE(TryRestore({.backup = good.id}).ok());
}

TEST_F(RestoreTest, PruneOfAWrongPlaceRemovesNothing) {
  PutInPlace("data/of-another-program", "x");
  const Status refused = Prune(place_.get(), {.rule = {.keep = 1}}).status();
  EXPECT_EQ(ErrorKind::kGone, KindOf(refused)) << refused;
  EXPECT_THAT(PlaceNames(""), ElementsAre("data/of-another-program"));
}

TEST_F(RestoreTest, PruneWaitsForAJobOfThisHostHoweverLongItSleeps) {
  Append(0);
  CreateOne();
  const auto asleep = Turn::Begin(place_.get(), Job::kCreate, "x").ValueOrDie();
  static_cast<MemoryStore*>(place_->inner())->AdvanceClock(Millis{301'000});
  EXPECT_THAT(Prune(place_.get(), {.rule = {.keep = 1}}).status().message(),
              HasSubstr("running/create-x.json"));
}

TEST_F(RestoreTest, APruneThatSleptDeletesNothingMore) {
  Append(0);
  const Manifest old = CreateOne();
  Append(10);
  CreateOne();
  JumpingClock clock;
  clock.Jump(Millis{200'000});
  place_->On(Operation::kDelete, ManifestPath(old.id)).Calls([&](const std::string&) {
    Runtime::Simulate(&clock);
  });
  const Status lost = Prune(place_.get(), {.rule = {.keep = 1}}).status();
  Runtime::Simulate(nullptr);
  EXPECT_THAT(lost.message(), HasSubstr("lost its turn"));
  EXPECT_FALSE(PlaceNames(BackupFolder(old.id)).empty());  // Deleted after the manifest.
}

TEST_F(RestoreTest, AKilledRestoreIsFinishedByTheNext) {
  KillEverywhere(
      [&] {
        Create({});
        place_ = NewPlace();
        Append(0);
        Append(10);
        CreateOne();
        DestroyLake();
      },
      [&] { std::ignore = TryRestore(); },
      [&] {
        const auto again = TryRestore();
        if (!again.ok()) {
          // It was killed after its last step.
          EXPECT_THAT(again.status().message(), HasSubstr("has tables already"));
        }
        EXPECT_EQ(20, Rows());
      });
}

TEST_F(RestoreTest, PruneKeepsWhatOtherBackupsNeed) {
  const DataFile first = Append(0);
  const Manifest old = CreateOne();
  const DataFile second = Append(10);
  Commit({}, {first});
  const Manifest newest = CreateOne();
  const PruneReport report = Prune(place_.get(), {.rule = {.keep = 1}}).ValueOrDie();
  EXPECT_THAT(report.removed, ElementsAre(old.id));
  EXPECT_EQ(1, report.files);
  EXPECT_THAT(PlaceNames("data/"), ElementsAre(StoredDataPath(kPath, second.path)));
  EXPECT_THAT(PlaceNames(BackupFolder(old.id)), IsEmpty());
  EXPECT_THAT(PlaceNames("running/"), IsEmpty());
  EXPECT_THAT(VerifyAll().damages, IsEmpty());
  EXPECT_EQ(newest.id, FindBackup(place_.get(), "")->id);
}

TEST_F(RestoreTest, PruneWaitsForAJobOfAnotherHost) {
  Append(0);
  CreateOne();
  PutInPlace("running/create-x.json", R"({"job": "create", "host": "elsewhere", "pid": 7})");
  const Status refused = Prune(place_.get(), {.rule = {.keep = 1}}).status();
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("elsewhere"), HasSubstr("running/create-x.json")));
  EXPECT_TRUE(TryCreate().ok());  // Creates run together.
  static_cast<MemoryStore*>(place_->inner())->AdvanceClock(Millis{301'000});
  EXPECT_TRUE(Prune(place_.get(), {.rule = {.keep = 1}}).ok());
}

}  // namespace
}  // namespace shopstream::backup
