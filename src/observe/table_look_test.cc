#include "observe/table_look.h"

#include <arrow/array/array_base.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "lake/testing.h"
#include "lake/upkeep/reports.h"
#include "tables/columns.h"
#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;

class TableLookTest : public lake::testing::LakeTest {
 protected:
  std::shared_ptr<lake::ObjectStore> Borrowed() {
    return {store_.get(), [](lake::ObjectStore*) {}};
  }
};

TEST_F(TableLookTest, CountsTheFilesOfTheNewestVersion) {
  TableLook look(Borrowed(), lake::testing::kPath, false);
  EXPECT_EQ(look.Look().ValueOrDie().files, 0);
  const DataFile first = Append(0);
  DataFile large = Fake(1000);
  large.size_bytes = lake::SmallFileBytes();
  Commit({large});
  const TableSample sample = look.Look().ValueOrDie();
  EXPECT_TRUE(sample.exists);
  EXPECT_EQ(sample.version, 2);
  EXPECT_EQ(sample.files, 2);
  EXPECT_EQ(sample.small_files, 0);
  EXPECT_EQ(sample.bytes, first.size_bytes + large.size_bytes);
  EXPECT_THAT(sample.rows, Optional(1010));
  EXPECT_TRUE(sample.committed_ms.has_value());
  EXPECT_THAT(sample.progress, IsEmpty());
}

TEST_F(TableLookTest, OnlySmallFilesThatCompactionCanMergeCount) {
  DataFile alone = Fake(3);
  alone.path = "region=US/3.parquet";
  alone.partition_values = {{"region", "US"}};
  Commit({Fake(1), Fake(2), alone});
  const TableSample sample = TableLook(Borrowed(), lake::testing::kPath, false).Look().ValueOrDie();
  EXPECT_EQ(sample.files, 3);
  EXPECT_EQ(sample.small_files, 2);
}

TEST_F(TableLookTest, RowsAreUnknownIfAWriterDidNotCountThem) {
  DataFile uncounted = Fake(3);
  uncounted.rows = -1;
  uncounted.statistics.clear();
  Commit({uncounted, Fake(4)});
  EXPECT_EQ(TableLook(Borrowed(), lake::testing::kPath, false).Look().ValueOrDie().rows,
            std::nullopt);
}

TEST_F(TableLookTest, BronzeHasTheProgressOfEachPartition) {
  lake::Changes changes;
  changes.txns[tables::ProgressAppId("T", 2)] = 70;
  tables::PutCompleteThrough("T", 2, 5000, &changes.txns);
  ASSERT_TRUE(table_->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{5000}).ok());
  TableLook look(Borrowed(), lake::testing::kPath, true);
  const TableSample sample = look.Look().ValueOrDie();
  ASSERT_EQ(sample.progress.size(), 1U);
  EXPECT_THAT(sample.progress.at({"T", 2}).next, Optional(70));
  EXPECT_THAT(sample.complete_through_ms, Optional(5000));
}

TEST_F(TableLookTest, ATableMayAppear) {
  TableLook look(Borrowed(), "later", false);
  EXPECT_FALSE(look.Look().ValueOrDie().exists);
  lake::TableSpec spec = lake::testing::SmallSpec();
  spec.path = "later";
  ASSERT_TRUE(lake::Table::Create(store_.get(), spec).ok());
  EXPECT_TRUE(look.Look().ValueOrDie().exists);
}

TEST_F(TableLookTest, AStoreThatFailsIsAnErrorAndTheNextLookSucceeds) {
  TableLook look(Borrowed(), lake::testing::kPath, false);
  store_->OnAny().FailsBefore().Always();
  EXPECT_FALSE(look.Look().ok());
  store_->Heal();
  EXPECT_TRUE(look.Look().ValueOrDie().exists);
  store_->OnAny().FailsBefore().Always();
  EXPECT_FALSE(look.Look().ok());
  store_->Heal();
  Append(0);
  EXPECT_EQ(look.Look().ValueOrDie().files, 1);
}

TEST_F(TableLookTest, ALookWithoutANewVersionReadsNoEntryAgain) {
  TableLook look(Borrowed(), lake::testing::kPath, false);
  Append(0);
  ASSERT_TRUE(look.Look().ok());
  int calls = 0;
  store_->OnAny().Calls([&](const std::string&) { ++calls; }).Always();
  ASSERT_TRUE(look.Look().ok());
  EXPECT_LE(calls, 2);
}

class QuarantineLookTest : public lake::testing::LakeTest {
 protected:
  // A quarantine without its other columns.
  QuarantineLookTest() {
    spec_.path = "quarantine";
    spec_.schema = arrow::schema(
        {arrow::field(tables::kCause, arrow::utf8()), arrow::field("date", arrow::utf8())});
    spec_.partition_columns = {"date"};
  }
  DataFile Write(const std::string& causes) {
    const auto column = arrow::json::ArrayFromJSONString(arrow::utf8(), causes).ValueOrDie();
    const auto rows = arrow::RecordBatch::Make(arrow::schema({spec_.schema->field(0)}),
                                               column->length(), {column});
    return lake::WriteDataFile(store_.get(), spec_.path, {{"date", "2025-10-24"}}, rows)
        .ValueOrDie();
  }
  void Change(std::vector<DataFile> adds, std::vector<DataFile> removes) {
    lake::Changes changes;
    changes.adds = std::move(adds);
    changes.removes = std::move(removes);
    changes.written_since = BootClock::now();
    ASSERT_TRUE(
        quarantine_->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{5000}).ok());
  }

  lake::TableSpec spec_;
  std::unique_ptr<lake::Table> quarantine_;
};

TEST_F(QuarantineLookTest, CountsCausesAndReadsEachFileOnce) {
  QuarantineLook look({store_.get(), [](lake::ObjectStore*) {}}, spec_.path);
  EXPECT_THAT(look.Look().ValueOrDie().rows_by_cause, IsEmpty());  // There is no table.
  quarantine_ = lake::Table::OpenOrCreate(store_.get(), spec_).ValueOrDie();
  const DataFile first = Write(R"(["corrupt", "empty", "corrupt"])");
  Change({first}, {});
  EXPECT_THAT(look.Look().ValueOrDie().rows_by_cause,
              ElementsAre(Pair("corrupt", 2), Pair("empty", 1)));
  Delete(spec_.path + "/" + first.path);  // It is not read again.
  const DataFile second = Write(R"(["corrupt"])");
  Change({second}, {});
  EXPECT_THAT(look.Look().ValueOrDie().rows_by_cause,
              ElementsAre(Pair("corrupt", 3), Pair("empty", 1)));
  Change({}, {first});
  EXPECT_THAT(look.Look().ValueOrDie().rows_by_cause, ElementsAre(Pair("corrupt", 1)));
}

TEST_F(QuarantineLookTest, AFileThatCannotBeReadIsAnErrorUntilItCan) {
  quarantine_ = lake::Table::OpenOrCreate(store_.get(), spec_).ValueOrDie();
  const DataFile file = Write(R"(["corrupt"])");
  Change({file}, {});
  QuarantineLook look({store_.get(), [](lake::ObjectStore*) {}}, spec_.path);
  const std::string path = spec_.path + "/" + file.path;
  const auto content = *store_->inner()->Get(path);
  Delete(path);
  EXPECT_FALSE(look.Look().ok());
  ASSERT_TRUE(store_->inner()->Put(path, *content).ok());
  EXPECT_THAT(look.Look().ValueOrDie().rows_by_cause, ElementsAre(Pair("corrupt", 1)));
}

}  // namespace
}  // namespace shopstream::observe
