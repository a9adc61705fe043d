#include "lake/delta/log_cleanup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "lake/delta/checkpoint.h"
#include "lake/delta/table_state.h"
#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using simulate::Operation;

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kPath;

bool Never() { return false; }

// --- The decision --------------------------------------------------------------------------------

// Objects "<version>" (an entry), "c<version>" (a checkpoint), with their age in hours.
std::vector<ObjectEntry> Log(const std::vector<std::pair<std::string, int>>& objects) {
  std::vector<ObjectEntry> log;
  for (const auto& [name, age] : objects) {
    const bool is_checkpoint = name[0] == 'c';
    const int64_t version = std::stoll(name.substr(is_checkpoint ? 1 : 0));
    log.push_back({ZeroPadded(version, 20) + (is_checkpoint ? ".checkpoint.parquet" : ".json"), 1,
                   -int64_t{age}});
  }
  std::sort(log.begin(), log.end(),
            [](const ObjectEntry& a, const ObjectEntry& b) { return a.path < b.path; });
  return log;
}

// What a plan deletes, in the notation above.
std::vector<std::string> Expired(const std::vector<ObjectEntry>& log, int older_than) {
  std::vector<std::string> names;
  for (const std::string& path : PlanLogCleanUp(log, -int64_t{older_than}).expired) {
    const std::string version = std::to_string(std::stoll(path.substr(0, 20)));
    names.push_back((path.ends_with(".parquet") ? "c" : "") + version);
  }
  return names;
}

TEST(LogCleanUpPlanTest, KeepsTheNewestExpiredCheckpointAndAllThatFollows) {
  const auto log = Log({{"0", 50}, {"1", 49}, {"c1", 49}, {"2", 48}, {"c2", 48}, {"3", 10}});
  EXPECT_THAT(Expired(log, 24), ElementsAre("0", "c1", "1"));
  EXPECT_THAT(Expired(log, 49), ElementsAre("0"));
  EXPECT_THAT(Expired(log, 50), IsEmpty());
  EXPECT_THAT(Expired(log, 1), ElementsAre("0", "c1", "1"));
}

TEST(LogCleanUpPlanTest, WithoutACheckpointEverythingStays) {
  EXPECT_THAT(Expired(Log({{"0", 50}, {"1", 50}, {"2", 50}}), 24), IsEmpty());
  EXPECT_THAT(Expired({}, 24), IsEmpty());
}

TEST(LogCleanUpPlanTest, ACheckpointOfAYoungVersionCoversNothingYet) {
  const auto log = Log({{"0", 50}, {"1", 40}, {"2", 10}, {"c2", 10}, {"3", 5}});
  EXPECT_THAT(Expired(log, 24), IsEmpty());
}

TEST(LogCleanUpPlanTest, AVersionIsAsYoungAsTheYoungestUpToIt) {
  // Version 1 was copied again: 2 and 3 may be as new as that.
  const auto log = Log({{"0", 50}, {"1", 2}, {"2", 40}, {"3", 39}, {"c3", 39}, {"4", 1}});
  EXPECT_THAT(Expired(log, 24), IsEmpty());
}

TEST(LogCleanUpPlanTest, ADamagedLogIsLeftAsItIs) {
  const auto log = Log({{"0", 50}, {"1", 49}, {"c1", 49}, {"2", 48}, {"4", 10}});
  EXPECT_THAT(Expired(log, 24), IsEmpty());
}

TEST(LogCleanUpPlanTest, AnIncompleteCheckpointCoversNothing) {
  auto log = Log({{"0", 50}, {"1", 49}, {"2", 48}, {"3", 47}});
  log.push_back({ZeroPadded(2, 20) + ".checkpoint.0000000001.0000000002.parquet", 1, -48});
  EXPECT_THAT(Expired(log, 24), IsEmpty());
  log.push_back({ZeroPadded(2, 20) + ".checkpoint.0000000002.0000000002.parquet", 1, -48});
  EXPECT_THAT(Expired(log, 24), ElementsAre("0", "1"));
}

TEST(LogCleanUpPlanTest, V2CheckpointsAreNotOursToJudge) {
  auto log = Log({{"0", 50}, {"1", 49}, {"c1", 49}, {"2", 48}});
  log.push_back({ZeroPadded(1, 20) + ".checkpoint.80a083e8-7026.json", 1, -49});
  EXPECT_THAT(Expired(log, 24), IsEmpty());
}

TEST(LogCleanUpPlanTest, ChecksumsAndCompactedEntriesGoWithTheirVersions) {
  auto log = Log({{"0", 50}, {"1", 49}, {"2", 48}, {"c2", 48}, {"3", 1}});
  log.push_back({ZeroPadded(0, 20) + ".crc", 1, -50});
  log.push_back({ZeroPadded(0, 20) + "." + ZeroPadded(1, 20) + ".compacted.json", 1, -50});
  log.push_back({ZeroPadded(2, 20) + ".crc", 1, -48});
  EXPECT_EQ(4U, PlanLogCleanUp(log, -24).expired.size());
}

// --- On a table ----------------------------------------------------------------------------------

class LogCleanUpTest : public testing::LakeTest {
 protected:
  void SetUp() override { Create({{"delta.checkpointInterval", "10"}}); }

  // Versions up to `last`, each with its checkpoint where one is due.
  void Grow(int64_t last) {
    while (table_->snapshot()->version() < last) {
      Commit({Fake(table_->snapshot()->version() + 1)});
      if (table_->snapshot()->version() % 5 == 0) Reopen();
    }
  }
  Result<LogCleanUpResult> CleanUp(LogCleanUpOptions options = {}) {
    ARROW_ASSIGN_OR_RAISE(const int64_t now_ms, store_->Now());
    return CleanUpLog(store_.get(), kPath, table_->snapshot()->properties(), now_ms, options,
                      Never);
  }
  void WriteCheckpointNow() {
    const auto& state = StateOf(*table_->snapshot());
    ASSERT_TRUE(WriteCheckpoint(store_->inner(), kPath, state, WallClockMillis()).ok());
  }
  int64_t OldestEntry() {
    for (const std::string& name : LogNames()) {
      if (name.ends_with(".json")) return std::stoll(name.substr(0, 20));
    }
    return -1;
  }
};

TEST_F(LogCleanUpTest, TheWriterCleansUpAfterACheckpoint) {
  Grow(25);
  AdvanceClock(std::chrono::hours(25));
  Grow(29);
  EXPECT_EQ(0, OldestEntry());
  Commit({Fake(30)});
  // The clean-up runs in the background; closing the table would stop it.
  const auto deadline = BootClock::now() + std::chrono::seconds(30);
  while (OldestEntry() != 20 && BootClock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(20, OldestEntry());
  EXPECT_EQ(30, table_->snapshot()->version());
}

TEST_F(LogCleanUpTest, ATableMayKeepItsLog) {
  Create({{"delta.checkpointInterval", "10"}, {"delta.enableExpiredLogCleanup", "false"}});
  Grow(25);
  AdvanceClock(std::chrono::hours(1000));
  EXPECT_EQ(0, CleanUp()->deleted);
  Grow(30);
  EXPECT_EQ(0, OldestEntry());
}

TEST_F(LogCleanUpTest, ThePropertyDecidesDownToThreeHours) {
  Create({{"delta.checkpointInterval", "10"}, {"delta.logRetentionDuration", "interval 1 hours"}});
  Grow(15);
  AdvanceClock(std::chrono::hours(2));
  EXPECT_EQ(0, CleanUp()->deleted);
  AdvanceClock(std::chrono::hours(2));
  EXPECT_EQ(10, CleanUp()->deleted);
}

TEST_F(LogCleanUpTest, DeletesFromTheOldestUpwardsAndABoundedNumberATime) {
  Grow(25);
  AdvanceClock(std::chrono::hours(25));
  std::vector<std::string> order;
  store_->On(Operation::kDelete)
      .Calls([&](const std::string& path) { order.push_back(path); })
      .Always();
  const auto first = CleanUp({.max_deletes = 7});
  EXPECT_EQ(7, first->deleted);
  EXPECT_FALSE(first->finished);
  EXPECT_EQ(7, OldestEntry());
  EXPECT_TRUE(CleanUp()->finished);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(21U, order.size());  // 20 entries and the checkpoint of 10.
}

TEST_F(LogCleanUpTest, ADamagedCheckpointIsNotReliedOn) {
  Grow(15);
  AdvanceClock(std::chrono::hours(25));
  PutText(LogFolder(kPath) + ZeroPadded(10, 20) + ".checkpoint.parquet", "not Parquet");
  EXPECT_FALSE(CleanUp().ok());
  EXPECT_EQ(0, OldestEntry());
}

TEST_F(LogCleanUpTest, AnotherCleanUpWithALaterCutoffMayDeleteTheCheckpointMeanwhile) {
  Create({{"delta.checkpointInterval", "1000"}});  // Only this test writes checkpoints.
  Grow(10);
  WriteCheckpointNow();
  AdvanceClock(std::chrono::hours(25));
  Grow(20);
  WriteCheckpointNow();
  const auto before = Described();
  store_->On(Operation::kOpenInput, ZeroPadded(10, 20) + ".checkpoint.parquet").Calls([&](auto&) {
    const int64_t later_ms = *store_->Now() + Millis(std::chrono::hours(25)).count();
    ASSERT_EQ(21, CleanUpLog(store_->inner(), kPath, table_->snapshot()->properties(), later_ms, {},
                             Never)
                      ->deleted);
  });
  const auto cleaned = CleanUp();
  ASSERT_TRUE(cleaned.ok()) << cleaned.status();
  EXPECT_EQ(0, cleaned->deleted);
  EXPECT_EQ(20, OldestEntry());
  EXPECT_EQ(before, Described());
}

TEST_F(LogCleanUpTest, AReaderThatListedBeforeListsAgain) {
  Grow(9);
  const auto before = Described();
  // The reader has listed entries 0 to 9; while it reads them, they are cleaned up.
  store_->On(Operation::kGet, "00000000000000000003.json").Calls([this](const std::string&) {
    const auto other = Table::Open(store_->inner(), kPath).ValueOrDie();
    const auto& state = StateOf(*other->snapshot());
    ASSERT_TRUE(WriteCheckpoint(store_->inner(), kPath, state, 0).ok());
    for (int version = 0; version < 9; ++version) Delete(LogEntryPath(kPath, version));
  });
  EXPECT_EQ(9, Table::Open(store_.get(), kPath).ValueOrDie()->snapshot()->version());
}

TEST_F(LogCleanUpTest, KilledAnywhereTheTableStaysReadable) {
  std::string before;
  const auto prepare = [&] {
    Create({{"delta.checkpointInterval", "5"}});
    Grow(13);
    AdvanceClock(std::chrono::hours(25));
    before = Described();
  };
  const auto act = [&] { (void)CleanUp(); };
  KillEverywhere(prepare, act, [&] {
    EXPECT_EQ(before, Described());
    ASSERT_TRUE(CleanUp().ok());
    EXPECT_EQ(before, Described());
    EXPECT_EQ(10, OldestEntry());
  });
}

TEST_F(LogCleanUpTest, ACheckpointKilledAnywhereLeavesTheTableAsItWas) {
  std::string before;
  const auto prepare = [&] {
    Create({{"delta.checkpointInterval", "1000"}});
    Grow(12);
    before = Described();
  };
  const auto act = [&] {
    const auto& state = StateOf(*table_->snapshot());
    (void)WriteCheckpoint(store_.get(), kPath, state, WallClockMillis());
  };
  KillEverywhere(prepare, act, [&] {
    EXPECT_EQ(before, Described());
    act();
    EXPECT_EQ(before, Described());
    EXPECT_EQ(12, *ReadCheckpointHint(store_.get(), kPath));
  });
}

TEST_F(LogCleanUpTest, ARunningWriterForgetsExpiredTombstones) {
  Create({{"delta.checkpointInterval", "1000"}});
  std::vector<DataFile> files;
  for (int i = 0; i < 250; ++i) files.push_back(Fake(i));
  Commit(files);
  // They expire immediately; files can no longer be added.
  ChangeProperties({{"delta.deletedFileRetentionDuration", "interval 0 seconds"}});
  for (int i = 1; i < 250; ++i) Commit({}, {files[i]});
  const auto& state = StateOf(*table_->snapshot());
  EXPECT_LE(state.tombstone_count(), 100);
  EXPECT_EQ(1, state.file_count());
}

// --- Against a model -----------------------------------------------------------------------------

// Random commits, checkpoints, clean-ups and restarts: opening the table always yields the model.
TEST_F(LogCleanUpTest, AnyHistoryEqualsTheModel) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 chance(seed);
  std::map<std::string, DataFile> model;
  int64_t commits = 0;
  int64_t number = 0;
  for (int step = 0; step < 600; ++step) {
    const uint32_t die = chance() % 100;
    if (die < 85) {
      std::vector<DataFile> adds;
      std::vector<DataFile> removes;
      for (uint32_t i = chance() % 4; i > 0; --i) adds.push_back(Fake(++number));
      for (uint32_t i = chance() % 3; i > 0 && !model.empty(); --i) {
        auto victim = std::next(model.begin(), chance() % model.size());
        removes.push_back(victim->second);
        model.erase(victim);
      }
      Commit(adds, removes);
      for (const DataFile& file : adds) model[file.path] = file;
      ++commits;
    } else if (die < 90) {
      AdvanceClock(Millis{3600 * 1000 * (chance() % 20)});
    } else if (die < 95) {
      const auto cleaned = CleanUp({.max_deletes = static_cast<int64_t>(chance() % 30)});
      ASSERT_TRUE(cleaned.ok()) << cleaned.status();
    } else {
      Reopen();
    }
    if (step % 20 != 0) continue;
    const auto snapshot = Table::Open(store_->inner(), kPath).ValueOrDie()->snapshot();
    ASSERT_EQ(commits, snapshot->version());
    ASSERT_EQ(commits, snapshot->Txn("app").value_or(0));
    ASSERT_EQ(static_cast<int64_t>(model.size()), snapshot->file_count());
    for (const DataFile& file : snapshot->Files()) {
      ASSERT_EQ(1U, model.count(file.path)) << file.path;
      ASSERT_EQ(model.at(file.path).rows, file.rows);
      ASSERT_EQ(model.at(file.path).statistics, file.statistics);
    }
  }
}

}  // namespace
}  // namespace shopstream::lake
