// A table's folder changes under a running writer: it is replaced or restored, or an entry that was
// read is overwritten.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "lake/delta/log_cleanup.h"
#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using simulate::Operation;

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kPath;

using Objects = std::vector<std::pair<std::string, std::shared_ptr<arrow::Buffer>>>;

class ReplacedTableTest : public testing::LakeTest {
 protected:
  Objects TakeAway() {
    Objects objects;
    for (const ObjectEntry& object : store_->inner()->List(kPath).ValueOrDie()) {
      objects.emplace_back(object.path, *store_->inner()->Get(object.path));
      Delete(object.path);
    }
    return objects;
  }
  void PutBack(const Objects& objects) {
    for (const auto& [path, content] : objects) {
      ASSERT_TRUE(store_->inner()->Put(path, *content).ok());
    }
  }
  // Another program's table under the same name, at this version.
  void AnotherTable(int64_t version) {
    const auto other = Table::OpenOrCreate(store_->inner(),
                                           testing::SmallSpec({{"delta.checkpointInterval", "3"}}))
                           .ValueOrDie();
    while (other->snapshot()->version() < version) CommitTo(other.get(), "other").ValueOrDie();
  }
  Result<CommitResult> CommitTo(Table* table, const std::string& app) {
    Changes changes;
    changes.txns[app] = table->snapshot()->Txn(app).value_or(0) + 1;
    return table->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000});
  }
  std::string Id() {
    const auto text = *store_->inner()->Get(LogEntryPath(kPath, 0));
    return ParseLogEntry(std::string_view(*text), "0")->metadata->id;
  }
  int64_t Versions() {
    int64_t entries = 0;
    for (const std::string& name : LogNames()) entries += name.ends_with(".json");
    return entries;
  }
};

TEST_F(ReplacedTableTest, NothingIsCommittedIntoAnotherTableInItsPlace) {
  for (const int64_t version : {0, 2, 3, 4, 7, 300}) {
    SCOPED_TRACE("the other table is at version " + std::to_string(version));
    Create({});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
    const std::string id = Id();
    TakeAway();
    AnotherTable(version);
    const std::string before = Described();
    for (const char* how : {"commit", "commit again", "refresh, then commit"}) {
      SCOPED_TRACE(how);
      if (how[0] == 'r') (void)table_->Refresh();
      const Status status = CommitTo(table_.get(), "app").status();
      EXPECT_TRUE(status.IsInvalid()) << status;
      EXPECT_THAT(status.message(), AllOf(HasSubstr(kPath), HasSubstr(id), HasSubstr(Id()),
                                          HasSubstr("Start this program again")));
    }
    EXPECT_EQ(before, Described());
    EXPECT_EQ(version + 1, Versions());
  }
}

TEST_F(ReplacedTableTest, AnotherTableIsSeenByRefreshAsSoonAsItIsNewer) {
  ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
  TakeAway();
  AnotherTable(4);
  const Status status = table_->Refresh().status();
  EXPECT_TRUE(status.IsInvalid()) << status;
  EXPECT_THAT(status.message(), HasSubstr("replaced by another one"));
  EXPECT_EQ(1, table_->snapshot()->version());
}

TEST_F(ReplacedTableTest, AnotherTableIsSeenWhateverTheStateWasReadFrom) {
  for (const char* from : {"entries", "a checkpoint", "a checkpoint without its entry"}) {
    SCOPED_TRACE(from);
    Create({{"delta.checkpointInterval", from[0] == 'a' ? "3" : "100"}});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
    Reopen();
    if (std::string(from).ends_with("entry")) {
      for (int64_t version = 0; version <= 3; ++version) Delete(LogEntryPath(kPath, version));
      Reopen();
    }
    TakeAway();
    AnotherTable(3);
    EXPECT_TRUE(CommitTo(table_.get(), "app").status().IsInvalid());
    EXPECT_EQ(4, Versions());
  }
}

TEST_F(ReplacedTableTest, ATableThatWasMovedAwayAndBackIsContinued) {
  ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
  const Objects objects = TakeAway();
  EXPECT_THAT(CommitTo(table_.get(), "app").status().message(), HasSubstr("is gone"));
  PutBack(objects);
  EXPECT_EQ(2, CommitTo(table_.get(), "app").ValueOrDie().version);
}

// Another engine checks whether an entry exists and then writes it.
TEST_F(ReplacedTableTest, AnEntryThatAnotherEngineReplacedIsReadAnewBeforeTheNextCommit) {
  ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
  ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
  PutText(LogEntryPath(kPath, 2), R"({"txn":{"appId":"theirs","version":7}})"
                                  "\n");
  // The commit does not build on the lost commit's progress: the caller's prepare sees it.
  std::optional<int64_t> seen = 99;
  Changes changes;
  changes.txns["app"] = 3;
  const auto fenced = table_->Commit(
      [&](const Snapshot& base) -> ChangesOrRefusal {
        seen = base.Txn("app");
        if (seen == 2) return changes;
        return Refusal{"the progress is another"};
      },
      BootClock::now() + Millis{20'000});
  EXPECT_EQ(CommitOutcome::kConflict, fenced.ValueOrDie().outcome);
  EXPECT_EQ(1, seen);
  EXPECT_EQ(7, table_->snapshot()->Txn("theirs"));
  EXPECT_EQ(3, CommitTo(table_.get(), "app").ValueOrDie().version);
  EXPECT_EQ(2, table_->snapshot()->Txn("app"));
}

TEST_F(ReplacedTableTest, ACommitAsksTheStoreOnceWhetherItsTableStands) {
  ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
  const int gets = store_->Count(Operation::kGet);
  ASSERT_TRUE(CommitTo(table_.get(), "app").ok());
  EXPECT_EQ(gets + 1, store_->Count(Operation::kGet));
}

}  // namespace
}  // namespace shopstream::lake
