// A commit that replaces all files of a table may replace its columns too (TableGrowth::replaces).
#include <arrow/array/util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/testing.h"
#include "lake/upkeep/compaction.h"

namespace shopstream::lake {
namespace {

using ::testing::HasSubstr;

class ReplacedColumnsTest : public testing::LakeTest {
 protected:
  // `n` is a text from now on, `name` is gone, `total` is new.
  static std::shared_ptr<arrow::Schema> Others() {
    return arrow::schema({arrow::field("total", arrow::decimal128(18, 2)),
                          arrow::field("n", arrow::utf8()), arrow::field("region", arrow::utf8())});
  }
  DataFile WriteOthers() {
    const auto rows =
        arrow::RecordBatch::MakeEmpty(arrow::schema({Others()->field(0), Others()->field(1)}));
    return WriteDataFile(store_->inner(), testing::kPath, {{"region", "EU"}}, *rows).ValueOrDie();
  }
  Result<CommitResult> Replace(const std::vector<DataFile>& removes,
                               std::shared_ptr<arrow::Schema> columns = Others()) {
    Changes changes;
    changes.adds = {WriteOthers()};
    changes.written_since = BootClock::now();
    changes.removes = removes;
    changes.growth = TableGrowth{std::move(columns), {{"ours", "2"}}, /*replaces=*/true};
    return table_->Commit(Unconditionally(changes), BootClock::now() + Millis{60'000});
  }
};

TEST_F(ReplacedColumnsTest, TheTableHasTheNewColumnsAndFilesAlone) {
  Append(0);
  Append(10);
  const auto result = Replace(table_->snapshot()->Files());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(CommitOutcome::kCommitted, result->outcome) << result->detail;
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    const auto snapshot = table_->snapshot();
    EXPECT_TRUE(snapshot->schema()->Equals(*Others())) << snapshot->schema()->ToString();
    EXPECT_EQ(1, snapshot->file_count());
    EXPECT_EQ("2", *FindProperty(*snapshot, "ours"));
  }
  // Writers that expect the old columns notice.
  const auto later = Table::OpenOrCreate(store_.get(), testing::SmallSpec());
  EXPECT_THAT(later.status().message(), HasSubstr("column n"));
}

TEST_F(ReplacedColumnsTest, AnEmptyTableNeedsNoRemoves) {
  const auto result = Replace({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(table_->snapshot()->schema()->Equals(*Others()));
}

TEST_F(ReplacedColumnsTest, ATableThatWasOpenedBeforeIsCompactedAllTheSame) {
  const auto before = Table::Open(store_.get(), testing::kPath).ValueOrDie();
  ASSERT_TRUE(Replace({}).ok());
  Changes changes;
  changes.adds = {WriteOthers()};
  changes.written_since = BootClock::now();
  changes.growth = TableGrowth{Others(), {}};
  ASSERT_TRUE(table_->Commit(Unconditionally(changes), BootClock::now() + Millis{60'000}).ok());
  const auto compacted = Compact(before.get(), {});
  ASSERT_TRUE(compacted.ok()) << compacted.status();
  EXPECT_EQ(compacted->files_removed, 2);
}

TEST_F(ReplacedColumnsTest, AFileThatStaysIsRefused) {
  const DataFile first = Append(0);
  Append(10);
  EXPECT_THAT(Replace({first}).status().message(), HasSubstr("removes 1 of 2 files"));
  EXPECT_EQ(2, table_->snapshot()->file_count());
}

TEST_F(ReplacedColumnsTest, ThePartitionColumnsStay) {
  const auto result = Replace({}, arrow::schema({Others()->field(0)}));
  EXPECT_THAT(result.status().message(), HasSubstr("lack region"));
}

}  // namespace
}  // namespace shopstream::lake
