#include "lake/delta/table_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class TableChangesTest : public testing::LakeTest {
 protected:
  std::optional<TableChanges> Since(int64_t version) {
    return ChangesSince(store_.get(), testing::kPath, *table_->snapshot(), version).ValueOrDie();
  }
  std::vector<std::string> AddedSince(int64_t version) {
    const auto changes = Since(version).value();
    std::vector<std::string> paths;
    for (const DataFile& file : changes.added) paths.push_back(file.path);
    return paths;
  }
  std::vector<std::string> RemovedSince(int64_t version) {
    const auto changes = Since(version).value();
    std::vector<std::string> paths;
    for (const RemovedFile& file : changes.removed) paths.push_back(file.path);
    return paths;
  }
  void Compact(const std::vector<DataFile>& into, const std::vector<DataFile>& from) {
    Changes changes;
    changes.operation = "OPTIMIZE";
    changes.adds = into;
    changes.written_since = BootClock::now();
    changes.removes = from;
    changes.data_change = false;
    ASSERT_EQ(CommitOutcome::kCommitted,
              table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20000})->outcome);
  }
  int64_t version() { return table_->snapshot()->version(); }
};

TEST_F(TableChangesTest, NewRowsAreFoundWhereverTheyMoved) {
  const DataFile old = Append(0);
  const int64_t since = version();
  EXPECT_THAT(AddedSince(since), IsEmpty());
  const DataFile first = Append(10);
  const DataFile second = Append(20);
  EXPECT_THAT(AddedSince(since), UnorderedElementsAre(first.path, second.path));
  EXPECT_THAT(AddedSince(since + 1), ElementsAre(second.path));
  const DataFile both = WriteFile(0, 20);
  Compact({both}, {old, first});
  EXPECT_THAT(AddedSince(since), UnorderedElementsAre(both.path, second.path));
  const DataFile all = WriteFile(0, 30);
  Compact({all}, {both, second});
  EXPECT_THAT(AddedSince(since), ElementsAre(all.path));
  EXPECT_THAT(RemovedSince(since), IsEmpty());
}

TEST_F(TableChangesTest, OldRowsThatMoveAreNotRead) {
  const DataFile first = Append(0);
  const DataFile second = Append(10);
  const DataFile elsewhere = Append(20, 10, "US");
  const int64_t since = version();
  const DataFile fresh = Append(30, 10, "US");
  // One commit moves old rows of the EU, and old and new ones of the US.
  const DataFile eu = WriteFile(0, 20);
  const DataFile us = WriteFile(20, 20, "US");
  Compact({eu, us}, {first, second, elsewhere, fresh});
  EXPECT_THAT(AddedSince(since), ElementsAre(us.path));
  EXPECT_THAT(AddedSince(version() - 1), IsEmpty());
  // Other statistics for a file are no new rows.
  Changes restated;
  restated.data_change = false;
  restated.restates = {eu, us};
  ASSERT_EQ(CommitOutcome::kCommitted,
            table_->Commit(Unconditionally(restated), BootClock::now() + Millis{20000})->outcome);
  EXPECT_THAT(AddedSince(since), ElementsAre(us.path));
}

TEST_F(TableChangesTest, RemovedRowsNameTheirPartition) {
  const DataFile first = Append(0);
  const DataFile second = Append(10, 10, "US");
  const int64_t since = version();
  const DataFile instead = WriteFile(0, 5);
  Commit({instead}, {first});
  EXPECT_THAT(AddedSince(since), ElementsAre(instead.path));
  ASSERT_THAT(RemovedSince(since), ElementsAre(first.path));
  EXPECT_EQ((PartitionValues{{"region", "EU"}}), Since(since)->removed[0].partition_values);
  Commit({}, {second});
  EXPECT_THAT(RemovedSince(since), ElementsAre(first.path, second.path));
  EXPECT_THAT(RemovedSince(since + 1), ElementsAre(second.path));
}

TEST_F(TableChangesTest, WithoutAnEntryTheAnswerIsOpen) {
  Append(0);
  Append(10);
  const DataFile third = Append(20);
  Delete(LogEntryPath(testing::kPath, 2));
  EXPECT_THAT(AddedSince(2), ElementsAre(third.path));
  EXPECT_FALSE(Since(1));
}

TEST_F(TableChangesTest, AReaderThatIsFarBehindReadsAllFiles) {
  Append(0);
  int gets = 0;
  store_->On(simulate::Operation::kGet).Calls([&](const std::string&) { ++gets; }).Always();
  EXPECT_FALSE(Since(version() - 1001));
  EXPECT_EQ(0, gets);
}

}  // namespace
}  // namespace shopstream::lake
