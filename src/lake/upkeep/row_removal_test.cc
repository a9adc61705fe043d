#include "lake/upkeep/row_removal.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "base/error_kind.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using ::testing::HasSubstr;

constexpr char kEvents[] = "events";

class RowRemovalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TableSpec spec;
    spec.path = kEvents;
    spec.schema = arrow::schema({arrow::field("offset", arrow::int64()),
                                 arrow::field("price", arrow::float64()),
                                 arrow::field("region", arrow::utf8())});
    spec.partition_columns = {"region"};
    table_ = Table::OpenOrCreate(&store_, spec).ValueOrDie();
  }

  static std::shared_ptr<arrow::RecordBatch> Rows(int64_t begin, int64_t end,
                                                  bool last_is_nan = false) {
    arrow::Int64Builder offsets;
    arrow::DoubleBuilder prices;
    for (int64_t i = begin; i < end; ++i) {
      EXPECT_TRUE(offsets.Append(i).ok());
      const bool is_nan = last_is_nan && i + 1 == end;
      EXPECT_TRUE(prices.Append(is_nan ? std::numeric_limits<double>::quiet_NaN() : 0.5).ok());
    }
    return arrow::RecordBatch::Make(arrow::schema({arrow::field("offset", arrow::int64()),
                                                   arrow::field("price", arrow::float64())}),
                                    end - begin, {*offsets.Finish(), *prices.Finish()});
  }
  void Commit(Changes changes) {
    if (!changes.adds.empty()) changes.written_since = BootClock::now();
    const auto result =
        table_->Commit(Unconditionally(std::move(changes)), BootClock::now() + Millis{20'000});
    ASSERT_EQ(CommitOutcome::kCommitted, result.ValueOrDie().outcome);
  }
  // As one file with two row groups. A NaN has no bounds, which a writer may find out too late.
  void Append(const std::string& region, int64_t begin, int64_t end, bool last_is_nan = false) {
    const int64_t half = (begin + end) / 2;
    const auto first = Rows(begin, half);
    ColumnPaths unbounded;
    std::optional<DataFile> file;
    while (!file) {
      const auto writer = DataFileWriter::Open(&store_, kEvents, {{"region", region}}, *first,
                                               unbounded, {.bytes = 2})
                              .ValueOrDie();
      EXPECT_TRUE(writer->Write(*first).ok());
      EXPECT_TRUE(writer->Write(*Rows(half, end, last_is_nan)).ok());
      file = writer->Finish().ValueOrDie();
      unbounded = writer->unbounded();
    }
    Changes changes;
    changes.adds = {*file};
    Commit(std::move(changes));
  }
  static RowChoice Offsets(const std::set<int64_t>& offsets) {
    RowChoice choice;
    choice.columns = {"offset", "region"};
    choice.choose = [offsets](const DataFile&, const arrow::RecordBatch& rows) {
      std::vector<bool> goes;
      const auto& column = static_cast<const arrow::Int64Array&>(*rows.GetColumnByName("offset"));
      for (int64_t i = 0; i < rows.num_rows(); ++i)
        goes.push_back(offsets.contains(column.Value(i)));
      return Result<std::vector<bool>>(goes);
    };
    return choice;
  }
  Result<Removal> Plan(const RowChoice& choice, const RemovalOptions& options = {}) {
    return PlanRemoval(table_.get(), *table_->snapshot(), choice, options);
  }
  std::multiset<int64_t> Left() {
    std::multiset<int64_t> offsets;
    const auto snapshot = table_->Refresh().ValueOrDie();
    for (const DataFile& file : snapshot->Files()) {
      const auto rows = ReadDataFile(&store_, kEvents, file, snapshot->schema()).ValueOrDie();
      EXPECT_EQ(file.rows, rows->num_rows());
      for (int64_t i = 0; i < rows->num_rows(); ++i) {
        offsets.insert(
            static_cast<const arrow::Int64Scalar&>(**rows->GetColumnByName("offset")->GetScalar(i))
                .value);
      }
    }
    return offsets;
  }
  int64_t StoredFiles() {
    int64_t count = 0;
    for (const auto& entry : store_.inner()->List(kEvents).ValueOrDie()) {
      count += entry.path.ends_with(".parquet");
    }
    return count;
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<Table> table_;
};

TEST_F(RowRemovalTest, OnlyFilesWithSuchRowsAreReplaced) {
  Append("EU", 0, 10, /*last_is_nan=*/true);
  Append("EU", 10, 20);
  Append("US", 20, 24);
  const Removal removal = Plan(Offsets({3, 8, 20, 21, 22, 23})).ValueOrDie();
  EXPECT_EQ(6, removal.rows);
  EXPECT_EQ(3, removal.files_searched);
  EXPECT_EQ(2U, removal.removes.size());
  ASSERT_EQ(1U, removal.adds.size()) << "nothing is left of the file of US";
  EXPECT_EQ((PartitionValues{{"region", "EU"}}), removal.adds[0].partition_values);
  EXPECT_EQ(8, removal.adds[0].rows);
  Commit(removal.ToChanges());
  EXPECT_EQ(
      (std::multiset<int64_t>{0, 1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}),
      Left());
  EXPECT_TRUE(Plan(Offsets({3, 8})).ValueOrDie().empty()) << "done already";
}

TEST_F(RowRemovalTest, FilesThatCannotHaveSuchRowsAreNotSearched) {
  Append("EU", 0, 10);
  Append("US", 10, 20);
  RowChoice choice = Offsets({3, 13});
  choice.outline = ColumnRange{.column = "offset",
                               .least = std::make_shared<arrow::Int64Scalar>(12),
                               .most = std::make_shared<arrow::Int64Scalar>(13)};
  const Removal removal = Plan(choice).ValueOrDie();
  EXPECT_EQ(1, removal.files_searched);
  Commit(removal.ToChanges());
  EXPECT_EQ(19U, Left().size());
  EXPECT_EQ(0U, Left().count(13));
}

TEST_F(RowRemovalTest, AReplacedFileIsNoLongerLiveForASecondRemoval) {
  Append("EU", 0, 10);
  const Removal first = Plan(Offsets({3})).ValueOrDie();
  const Removal second = Plan(Offsets({4})).ValueOrDie();
  Commit(first.ToChanges());
  const auto result =
      table_->Commit(Unconditionally(second.ToChanges()), BootClock::now() + Millis{20'000});
  EXPECT_EQ(CommitOutcome::kConflict, result.ValueOrDie().outcome);
  Discard(table_.get(), second);
  EXPECT_EQ(1U, Left().count(4));
  EXPECT_EQ(2, StoredFiles()) << "the old file and the first removal's";
}

TEST_F(RowRemovalTest, AFailureLeavesNoFile) {
  Append("EU", 0, 10);
  Append("US", 10, 20);
  store_.On(simulate::Operation::kCloseOutput, ".parquet").Skipping(1).LosesReply();
  EXPECT_FALSE(Plan(Offsets({3, 13})).ok());
  EXPECT_EQ(2, StoredFiles());
}

TEST_F(RowRemovalTest, AFileWithOtherRowsThanTheLogSaysIsRefused) {
  Changes changes;
  changes.adds = {WriteDataFile(&store_, kEvents, {{"region", "EU"}}, Rows(0, 10)).ValueOrDie()};
  changes.adds[0].rows = 11;
  changes.adds[0].statistics = R"({"numRecords": 11})";
  Commit(std::move(changes));
  EXPECT_THAT(Plan(Offsets({3})).status().message(),
              HasSubstr("has 10 rows where the log says 11"));
}

}  // namespace
}  // namespace shopstream::lake
