// Properties set by other engines: one that is not understood means keep, or refuse.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "lake/delta/retention.h"
#include "lake/testing.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/repair.h"

namespace shopstream::lake {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPath;

constexpr char kDeletedFileRetention[] = "delta.deletedFileRetentionDuration";

class ForeignPropertyTest : public testing::LakeTest {
 protected:
  // Sets properties of an open table, as another engine would.
  void SetProperties(const Properties& properties) {
    Create({});
    ChangeProperties(properties);
  }
  Status AppendStatus() {
    Changes changes;
    changes.adds = {WriteFile(0, 1)};
    changes.written_since = BootClock::now();
    return CommitStatus(changes);
  }
  Status RemoveStatus() {
    Changes changes;
    changes.removes = {table_->snapshot()->Files()[0]};
    return CommitStatus(changes);
  }
  Status CommitStatus(const Changes& changes) {
    return table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000}).status();
  }
};

TEST_F(ForeignPropertyTest, AConstraintStopsTheWriterInAnyLetterCase) {
  for (const char* name : {"delta.constraints.sold", "delta.Constraints.sold",
                           "DELTA.CONSTRAINTS.SOLD", "Delta.constraints.x"}) {
    SetProperties({{name, "n > 0"}});
    const Status status = AppendStatus();
    EXPECT_TRUE(status.IsNotImplemented()) << name << ": " << status;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(name), HasSubstr("drop the constraint")));
  }
  SetProperties({{"delta.constraint", "x"}, {"user.constraints.x", "y"}});
  EXPECT_TRUE(AppendStatus().ok());
}

TEST_F(ForeignPropertyTest, ASwitchThatIsNotUnderstoodIsObeyed) {
  for (const char* value : {"true", "TRUE", "yes", "1", ""}) {
    SCOPED_TRACE(value);
    Create({{"delta.appendOnly", value}});
    ASSERT_TRUE(AppendStatus().ok());
    EXPECT_TRUE(RemoveStatus().IsInvalid());
    EXPECT_THAT(RemoveStatus().message(), HasSubstr("append-only"));
    SetProperties({{"delta.enableChangeDataFeed", value}});
    EXPECT_TRUE(AppendStatus().IsNotImplemented());
    EXPECT_THAT(AppendStatus().message(),
                HasSubstr("delta.enableChangeDataFeed=" + std::string(value)));
  }
  for (const char* value : {"false", "FALSE"}) {
    Create({{"delta.appendOnly", value}, {"delta.enableChangeDataFeed", value}});
    EXPECT_TRUE(AppendStatus().ok());
    EXPECT_TRUE(RemoveStatus().ok());
  }
}

TEST(RetentionWarningsTest, EachPropertyThatIsNotUnderstoodHasOneLineWithARemedy) {
  EXPECT_THAT(RetentionWarnings({}), IsEmpty());
  EXPECT_THAT(RetentionWarnings({{kDeletedFileRetention, "interval 1 days"},
                                 {"delta.logRetentionDuration", "INTERVAL 2 WEEKS"},
                                 {"delta.enableExpiredLogCleanup", "False"}}),
              IsEmpty());
  EXPECT_THAT(
      RetentionWarnings({{kDeletedFileRetention, "1d"},
                         {"delta.logRetentionDuration", "interval 1 months"},
                         {"delta.enableExpiredLogCleanup", "no"}}),
      ElementsAre(
          AllOf(HasSubstr("deletedFileRetentionDuration=1d"), HasSubstr("interval 7 days")),
          AllOf(HasSubstr("logRetentionDuration=interval 1 months"), HasSubstr("interval 7 days")),
          AllOf(HasSubstr("enableExpiredLogCleanup=no"), HasSubstr("true or false"))));
}

// Otherwise their files would be too old to commit, over and over.
TEST_F(ForeignPropertyTest, ARetentionTooShortForACommitStopsRepairAndCompaction) {
  for (const char* retention : {"interval 0 hours", "interval 15 seconds", "interval 59 seconds"}) {
    SCOPED_TRACE(retention);
    Create({});
    DataFile bare = WriteFile(0, 5);
    bare.statistics = R"({"numRecords":5,"minValues":{"n":0}})";
    Commit({bare});
    Append(10);
    ChangeProperties({{kDeletedFileRetention, retention}});
    const std::string before = Described();
    const std::vector<Status> refused = {Compact(table_.get(), {}, {}).status(),
                                         Repair(table_.get(), {}, {}).status()};
    for (const Status& status : refused) {
      EXPECT_TRUE(status.IsInvalid()) << status;
      EXPECT_THAT(status.message(),
                  AllOf(HasSubstr(kPath), HasSubstr(retention), HasSubstr("interval 1 hours")));
    }
    EXPECT_EQ(before, Described());
    RepairOptions look;
    look.dry_run = true;
    EXPECT_EQ(1, Repair(table_.get(), look, {}).ValueOrDie().repaired.files);
  }
  Create({{kDeletedFileRetention, "interval 60 seconds"}});
  Append(0);
  Append(10);
  EXPECT_EQ(1, Compact(table_.get(), {}, {}).ValueOrDie().commits);
}

TEST_F(ForeignPropertyTest, OptionsOfTheFormatSurviveOurMetadataAndCheckpoints) {
  Create({{"delta.checkpointInterval", "3"}});
  const auto text = *store_->inner()->Get(LogEntryPath(kPath, 0));
  LogEntry change;
  change.metadata = ParseLogEntry(std::string_view(*text), "0")->metadata;
  auto action = nlohmann::json::parse(FormatLogEntry(change));
  action["metaData"]["format"]["options"] = {{"header", "true"}};
  PutText(LogEntryPath(kPath, 1), action.dump() + "\n");
  const auto newest_options = [&](int64_t version) {
    const auto bytes = *store_->inner()->Get(LogEntryPath(kPath, version));
    return ParseLogEntry(std::string_view(*bytes), "x")->metadata->format_options;
  };
  const auto grow = [&](const char* value) {
    Changes changes;
    changes.growth = TableGrowth{table_->snapshot()->schema(), {{"ours", value}}};
    ASSERT_TRUE(CommitStatus(changes).ok());
  };
  grow("a");
  EXPECT_EQ("true", newest_options(2)["header"]);
  Append(0);  // Version 3: only its checkpoint is left.
  Reopen();
  for (int64_t version = 0; version <= 3; ++version) Delete(LogEntryPath(kPath, version));
  Reopen();
  grow("b");
  EXPECT_EQ("true", newest_options(4)["header"]);
}

}  // namespace
}  // namespace shopstream::lake
