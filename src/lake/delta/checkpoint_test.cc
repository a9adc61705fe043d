#include "lake/delta/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "lake/delta/table_testing.h"

namespace shopstream::lake {
namespace {

using simulate::Operation;
using ::testing::HasSubstr;

using testing::Described;
using testing::File;
using testing::kPath;
using testing::Spec;
using testing::TableTest;

class CheckpointTest : public TableTest {
 protected:
  void SetUp() override {
    TableSpec spec = Spec();
    spec.properties["delta.checkpointInterval"] = "10";
    Reopen(spec);
  }
  // Adds, removes and progress up to version 25, with checkpoints of 10 and 20.
  void Grow() {
    for (int i = 1; i <= 25; ++i) {
      Changes changes;
      changes.adds = {File("f" + std::to_string(i))};
      changes.written_since = BootClock::now();
      changes.adds[0].partition_values[0].second =
          i % 5 == 0 ? std::nullopt : std::optional<std::string>("E U/%");
      if (i % 3 == 0) changes.removes = {File("f" + std::to_string(i - 1))};
      changes.txns["app" + std::to_string(i % 4)] = i * 100;
      ASSERT_EQ(i, Commit(changes).version);
      if (i % 10 == 0) Reopen();  // Waits for the checkpoint.
    }
  }
};

TEST_F(CheckpointTest, ACheckpointEqualsTheReplayedLog) {
  Grow();
  ASSERT_TRUE(HasCheckpoint(10));
  ASSERT_TRUE(HasCheckpoint(20));
  const std::string replayed = Described(*table_->snapshot());
  for (int i = 0; i <= 20; ++i) Delete(LogEntryPath(kPath, i));
  EXPECT_EQ(replayed, Described(*Loaded()));
  EXPECT_EQ(20, *ReadCheckpointHint(&store_, kPath));
  Delete(LogFolder(kPath) + "_last_checkpoint");
  EXPECT_EQ(replayed, Described(*Loaded()));
}

TEST_F(CheckpointTest, AReaderNeedsNoEntryBesideTheCheckpoint) {
  Grow();
  for (int i = 0; i <= 25; ++i) Delete(LogEntryPath(kPath, i));
  EXPECT_EQ(20, Loaded()->version());
}

TEST_F(CheckpointTest, AWrongHintIsOnlyAHint) {
  Grow();
  const std::string replayed = Described(*table_->snapshot());
  for (const char* hint : {R"({"version":999,"size":1})", R"({"version":15,"size":1})",
                           R"({"version":10,"size":1})", R"({"version":"x"})", "torn {", ""}) {
    PutText(LogFolder(kPath) + "_last_checkpoint", hint);
    EXPECT_EQ(replayed, Described(*Loaded())) << hint;
  }
}

TEST_F(CheckpointTest, ADamagedCheckpointGivesWayToAnOlderOneOrTheEntries) {
  Grow();
  const std::string replayed = Described(*table_->snapshot());
  PutText(CheckpointPath(20), "not Parquet");
  EXPECT_EQ(replayed, Described(*Loaded()));
  PutText(CheckpointPath(10), "");
  EXPECT_EQ(replayed, Described(*Loaded()));
}

TEST_F(CheckpointTest, APartlyWrittenMultiPartCheckpointIsIgnored) {
  Grow();
  PutText(LogFolder(kPath) + ZeroPadded(25, 20) + ".checkpoint.0000000001.0000000002.parquet", "x");
  EXPECT_EQ(25, Loaded()->version());
}

TEST_F(CheckpointTest, AGapInTheEntriesIsNamed) {
  Grow();
  Delete(LogEntryPath(kPath, 22));
  const Status status = Table::Open(&store_, kPath).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("incomplete"));
}

TEST_F(CheckpointTest, AGapThatClosesIsReadAgain) {
  Grow();
  const auto entry = *store_.Get(LogEntryPath(kPath, 22));
  Delete(LogEntryPath(kPath, 22));
  store_.On(Operation::kList).Skipping(2).Calls([&](const std::string&) {
    ASSERT_TRUE(store_.inner()->Put(LogEntryPath(kPath, 22), *entry).ok());
  });
  EXPECT_EQ(25, Table::Open(&store_, kPath).ValueOrDie()->snapshot()->version());
}

TEST_F(CheckpointTest, AFailedCheckpointDoesNotFailTheCommit) {
  store_.On(Operation::kPutIfAbsent, "checkpoint").FailsBefore();
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(i, Append("f" + std::to_string(i)).version);
  }
  Reopen();
  EXPECT_FALSE(HasCheckpoint(10));
  EXPECT_EQ(11, Append("f11").version);
  Reopen();
  EXPECT_TRUE(HasCheckpoint(11));  // The first writer to miss it writes one of its own version.
  EXPECT_EQ(12, Append("f12").version);
  Reopen();
  EXPECT_FALSE(HasCheckpoint(12));
}

TEST_F(CheckpointTest, TombstonesLiveAnHour) {
  Grow();
  const auto tombstones = [this](int64_t version) {
    const TableState state =
        ReadCheckpoint(&store_, {CheckpointPath(version)}, version).ValueOrDie();
    return state.tombstone_count();
  };
  EXPECT_EQ(6, tombstones(20));  // For versions 3, 6, ... 18.
  TableState state = ReadCheckpoint(&store_, {CheckpointPath(20)}, 20).ValueOrDie();
  state.DropExpiredTombstones(WallClockMillis() + 3600 * 1000 + 1000);
  EXPECT_EQ(0, state.tombstone_count());
}

TEST_F(CheckpointTest, V2CheckpointsAreRefusedByName) {
  Grow();
  for (int i = 0; i <= 20; ++i) Delete(LogEntryPath(kPath, i));
  Delete(CheckpointPath(10));
  Delete(CheckpointPath(20));
  PutText(LogFolder(kPath) + ZeroPadded(20, 20) +
              ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
          "{}");
  const Status status = Table::Open(&store_, kPath).status();
  EXPECT_TRUE(status.IsNotImplemented());
  EXPECT_THAT(status.message(), HasSubstr("V2"));
}

}  // namespace
}  // namespace shopstream::lake
