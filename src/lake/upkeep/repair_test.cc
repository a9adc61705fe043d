#include "lake/upkeep/repair.h"

#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"
#include "lake/delta/table_state.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/partition_path.h"
#include "lake/testing.h"
#include "model/calendar.h"

namespace shopstream::lake::testing {
namespace {

using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

using ::testing::HasSubstr;

// Rows of a table as an earlier version of this program may have left them.
std::shared_ptr<arrow::RecordBatch> MakeRows(const std::vector<int64_t>& n,
                                             const std::vector<double>& x,
                                             const std::vector<int64_t>& arrival_days) {
  arrow::Int64Builder n_builder;
  arrow::DoubleBuilder x_builder;
  arrow::TimestampBuilder at(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                             arrow::default_memory_pool());
  for (size_t i = 0; i < n.size(); ++i) {
    EXPECT_TRUE(n_builder.Append(n[i]).ok() && x_builder.Append(x[i]).ok() &&
                at.Append(arrival_days[i] * kMicrosPerDay + 1).ok());
  }
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("x", arrow::float64()),
                     arrow::field("quarantined_at", at.type())}),
      static_cast<int64_t>(n.size()), {*n_builder.Finish(), *x_builder.Finish(), *at.Finish()});
}

class RepairTest : public LakeTest {
 protected:
  void SetUp() override { Begin({"v", "date"}); }

  void Begin(const std::vector<std::string>& partition_columns) {
    table_.reset();
    store_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
    spec_.path = kPath;
    auto fields = MakeRows({}, {}, {})->schema()->fields();
    fields.push_back(arrow::field("v", arrow::utf8()));
    fields.push_back(arrow::field("date", arrow::date32()));
    spec_.schema = arrow::schema(fields);
    spec_.partition_columns = partition_columns;
    table_ = Table::OpenOrCreate(store_.get(), spec_).ValueOrDie();
  }

  // A file in the folder where an earlier version would have put it.
  DataFile FileIn(const std::string& folder, const PartitionValues& partition,
                  const std::shared_ptr<arrow::RecordBatch>& rows) {
    DataFile file = *WriteDataFile(store_->inner(), kPath, partition, rows);
    const std::string old_path = std::string(kPath) + "/" + file.path;
    file.path = folder + "/old-" + file.path.substr(file.path.rfind('/') + 1);
    EXPECT_TRUE(store_->inner()
                    ->Put(std::string(kPath) + "/" + file.path, **store_->inner()->Get(old_path))
                    .ok());
    Delete(old_path);
    return file;
  }

  // One file for each need, and one that needs nothing.
  void AddOneOfEachNeed() {
    const PartitionValues plain = {{"v", "US"}, {"date", "2025-10-24"}};
    DataFile sound = *WriteDataFile(store_->inner(), kPath, plain, MakeRows({1}, {1}, {5}));
    DataFile path = FileIn("v=R&D/date=2025-10-24", {{"v", "R&D"}, {"date", "2025-10-24"}},
                           MakeRows({2, 3}, {1, 2}, {5, 5}));
    DataFile date = FileIn("v=US/date=10000-01-01", {{"v", "US"}, {"date", "10000-01-01"}},
                           MakeRows({4, 5, 6, 7}, {1, 2, 3, 4}, {7, 7, 9, 7}));
    DataFile statistics = *WriteDataFile(store_->inner(), kPath, plain, MakeRows({8}, {1}, {5}));
    statistics.statistics =
        R"({"numRecords":1,"minValues":{"n":8},"maxValues":{"n":8},"nullCount":{"n":0}})";
    Commit({sound, path, date, statistics});
  }

  // n -> "v/date" of every row in the live files, all of which exist.
  std::map<int64_t, std::string> Rows() {
    std::map<int64_t, std::string> rows;
    const auto table = Table::Open(store_->inner(), kPath).ValueOrDie();
    const auto stored = MakeRows({}, {}, {})->schema();
    for (const DataFile& file : table->snapshot()->Files()) {
      const auto reader = DataFileReader::Open(store_->inner(), kPath, file, stored, {});
      EXPECT_TRUE(reader.ok()) << reader.status();
      while (reader.ok()) {
        const auto batch = (*reader)->Next().ValueOrDie();
        if (batch == nullptr) break;
        const auto& n = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("n"));
        for (int64_t i = 0; i < n.length(); ++i) {
          EXPECT_FALSE(rows.contains(n.Value(i))) << "twice: " << n.Value(i);
          rows[n.Value(i)] = file.partition_values[0].second.value_or("null") + "/" +
                             file.partition_values[1].second.value_or("null");
        }
      }
    }
    return rows;
  }
  static std::map<int64_t, std::string> Healed() {
    const std::string plain = "US/2025-10-24";
    return {
        {1, plain},           {2, "R&D/2025-10-24"}, {3, "R&D/2025-10-24"}, {4, "US/1970-01-08"},
        {5, "US/1970-01-08"}, {6, "US/1970-01-10"},  {7, "US/1970-01-08"},  {8, plain}};
  }

  Result<RepairResult> RepairNow(RepairOptions options = {}, const RepairHooks& hooks = {}) {
    options.patience = {.first = Millis{1}, .longest = Millis{2}, .give_up_after = Millis{40}};
    options.commit_deadline = Millis{60};
    options.day_column = "quarantined_at";
    return Repair(table_.get(), options, hooks);
  }
  int64_t StillNeeded() {
    return CountRepairs(*Table::Open(store_->inner(), kPath).ValueOrDie()->snapshot()).files;
  }
  nlohmann::json NewestCommitInfo() {
    const auto bytes = *store_->inner()->Get(LogEntryPath(kPath, table_->snapshot()->version()));
    return ParseLogEntry(std::string_view(*bytes), "entry")->commit_info.operator*();
  }

  TableSpec spec_;
};

TEST_F(RepairTest, HealsEachNeedAndKeepsEveryRow) {
  AddOneOfEachNeed();
  const int64_t version = table_->snapshot()->version();
  const auto result = RepairNow();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(4, result->files_seen);
  EXPECT_EQ(3, result->repaired.files);
  EXPECT_EQ(1, result->repaired.paths);
  EXPECT_EQ(1, result->repaired.partitions);
  EXPECT_EQ(1, result->repaired.statistics);
  EXPECT_EQ(1, result->commits);
  EXPECT_EQ(version + 1, table_->snapshot()->version());
  EXPECT_EQ(Healed(), Rows());
  EXPECT_EQ(0, StillNeeded());
  EXPECT_EQ("REPAIR", NewestCommitInfo()["operation"]);
  EXPECT_EQ(1, table_->snapshot()->Txn("app"));
}

TEST_F(RepairTest, ItsCommitsChangeNoData) {
  AddOneOfEachNeed();
  ASSERT_TRUE(RepairNow().ok());
  const auto bytes = *store_->inner()->Get(LogEntryPath(kPath, table_->snapshot()->version()));
  const LogEntry entry = ParseLogEntry(std::string_view(*bytes), "entry").ValueOrDie();
  EXPECT_EQ(2u, entry.removes.size());
  EXPECT_EQ(4u, entry.adds.size());
  for (const AddFile& add : entry.adds) EXPECT_FALSE(add.data_change);
  for (const RemoveFile& remove : entry.removes) EXPECT_FALSE(remove.data_change);
}

TEST_F(RepairTest, TheSecondRunFindsNothing) {
  AddOneOfEachNeed();
  ASSERT_TRUE(RepairNow().ok());
  const std::string before = Described();
  const auto again = RepairNow();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(0, again->repaired.files);
  EXPECT_EQ(0, again->commits);
  EXPECT_EQ(before, Described());
}

TEST_F(RepairTest, ADryRunChangesNothingAndNamesEachFile) {
  AddOneOfEachNeed();
  const std::string before = Described();
  std::vector<std::string> needs;
  const auto result =
      RepairNow({.dry_run = true}, {.on_file = [&](const DataFile&, const RepairNeeds& found) {
                  needs.push_back(found.Text());
                }});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(3, result->repaired.files);
  EXPECT_THAT(needs, ::testing::UnorderedElementsAre("path", "partition", "statistics"));
  EXPECT_EQ(before, Described());
}

TEST_F(RepairTest, RowsOfADateThatNoReaderAcceptsGoToTheNullPartitionWithoutATimeOfArrival) {
  spec_ = SmallSpec();
  spec_.schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("date", arrow::date32())});
  spec_.partition_columns = {"date"};
  store_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
  table_ = Table::OpenOrCreate(store_.get(), spec_).ValueOrDie();
  arrow::Int64Builder n;
  ASSERT_TRUE(n.Append(1).ok());
  const auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), 1,
                                             {*n.Finish()});
  std::vector<DataFile> files;
  for (const char* date : {"-002-12-31", "10000-01-01", "0000-01-01", "2025-02-30"}) {
    files.push_back(FileIn(std::string("date=") + date, {{"date", date}}, rows));
  }
  files.push_back(*WriteDataFile(store_->inner(), kPath, {{"date", "9999-12-31"}}, rows));
  Commit(files);
  const auto result = RepairNow();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(4, result->repaired.partitions);
  int nulls = 0;
  for (const DataFile& file : table_->snapshot()->Files()) {
    nulls += !file.partition_values[0].second;
    EXPECT_EQ(1, file.rows);
  }
  EXPECT_EQ(4, nulls);
}

// Like a file of an earlier version, whose footer has bounds despite NaN: another writer's default.
TEST_F(RepairTest, AFooterWithBoundsBesideNanIsWrittenAgainWithoutThem) {
  const auto rows = MakeRows({1, 2}, {1, std::nan("")}, {5, 5});
  const auto sink = *arrow::io::BufferOutputStream::Create();
  auto writer = *parquet::arrow::FileWriter::Open(*rows->schema(), arrow::default_memory_pool(),
                                                  sink, parquet::default_writer_properties());
  ASSERT_TRUE(writer->WriteRecordBatch(*rows).ok() && writer->Close().ok());
  DataFile file;
  file.partition_values = {{"v", "US"}, {"date", "2025-10-24"}};
  file.path = NewDataFilePath(file.partition_values);
  file.rows = 2;
  file.statistics = R"({"numRecords":2,"minValues":{"n":1,"x":1.0,"quarantined_at":)"
                    R"("1970-01-06T00:00:00.000Z"},"maxValues":{"n":2,"x":1.0,"quarantined_at":)"
                    R"("1970-01-06T00:00:00.001Z"},"nullCount":{"n":0,"x":0,"quarantined_at":0}})";
  const auto content = *sink->Finish();
  file.size_bytes = content->size();
  ASSERT_TRUE(store_->inner()->Put(std::string(kPath) + "/" + file.path, *content).ok());
  Commit({file});
  EXPECT_TRUE(*FooterMisleads(store_->inner(), kPath, file, *table_->snapshot()));
  const auto result = RepairNow();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(1, result->repaired.footers);
  const DataFile healed = table_->snapshot()->Files()[0];
  EXPECT_NE(file.path, healed.path);
  EXPECT_EQ(R"({"numRecords":2})", healed.statistics);
  EXPECT_FALSE(*FooterMisleads(store_->inner(), kPath, healed, *table_->snapshot()));
  EXPECT_EQ(2u, Rows().size());
}

TEST_F(RepairTest, AKillAtAnyMomentLosesNothingAndTheNextRunDoesTheRest) {
  KillEverywhere(
      [this] {
        Begin({"v", "date"});
        AddOneOfEachNeed();
      },
      [this] { RepairNow({.commit_files = 1}).status().ok(); },
      [this] {
        EXPECT_EQ(8u, Rows().size());
        Reopen();
        const auto rest = RepairNow();
        ASSERT_TRUE(rest.ok()) << rest.status();
        EXPECT_EQ(Healed(), Rows());
        EXPECT_EQ(0, StillNeeded());
      });
}

TEST_F(RepairTest, AStorageThatFailsNowAndThenDelaysIt) {
  for (int call = 0; call < 40; ++call) {
    SCOPED_TRACE(call);
    Begin({"v", "date"});
    AddOneOfEachNeed();
    store_->OnAny().Skipping(call).FailsBefore();
    store_->OnAny().Skipping(call + 3).LosesReply();
    const auto result = RepairNow({.commit_files = 2});
    store_->Heal();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Healed(), Rows());
    EXPECT_EQ(0, StillNeeded());
  }
}

TEST_F(RepairTest, WhatAnotherWriterReplacedMeanwhileStaysAsThatWriterLeftIt) {
  AddOneOfEachNeed();
  // Another program removes one of the files just before the repair's entry is written.
  const auto other = Table::Open(store_->inner(), kPath).ValueOrDie();
  const auto files = other->snapshot()->Files();
  const auto doomed = std::find_if(files.begin(), files.end(), [](const DataFile& file) {
    return file.path.find("R&D") != std::string::npos;
  });
  ASSERT_NE(files.end(), doomed);
  store_->On(Operation::kPutIfAbsent, "_delta_log/").Calls([&](const std::string&) {
    Changes changes;
    changes.removes = {*doomed};
    ASSERT_TRUE(other->Commit(Unconditionally(changes), BootClock::now() + Millis{20000}).ok());
  });
  const auto result = RepairNow();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(1, result->conflicts);
  EXPECT_EQ(2, result->repaired.files);
  auto expected = Healed();
  expected.erase(2);
  expected.erase(3);
  EXPECT_EQ(expected, Rows());
}

TEST_F(RepairTest, ARestatedFileThatIsGoneMeanwhileDoesNotComeBack) {
  AddOneOfEachNeed();
  ASSERT_TRUE(RepairNow().ok());
  const DataFile file = table_->snapshot()->Files()[0];
  Commit({}, {file});
  Changes changes;
  changes.restates = {file};
  const auto result = table_->Commit(Unconditionally(changes), BootClock::now() + Millis{1000});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(CommitOutcome::kConflict, result->outcome);
}

TEST_F(RepairTest, AFileThatCannotBeReadIsNamedAfterAllOthersWereRepaired) {
  AddOneOfEachNeed();
  for (const DataFile& file : table_->snapshot()->Files()) {
    if (file.path.find("10000") != std::string::npos) {
      PutText(std::string(kPath) + "/" + file.path, "no Parquet");
    }
  }
  const auto result = RepairNow();
  EXPECT_TRUE(result.status().IsInvalid()) << result.status();
  EXPECT_THAT(result.status().message(), HasSubstr("date=10000-01-01"));
  EXPECT_EQ(1, StillNeeded());
}

TEST_F(RepairTest, StopsBetweenFilesAndKeepsWhatIsDone) {
  AddOneOfEachNeed();
  int64_t looked_at = 0;
  const auto result = RepairNow(
      {}, {.stop = [&] { return looked_at >= 2; },
           .progress = [&](const RepairProgress& progress) { looked_at = progress.files_done; }});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->finished);
  EXPECT_EQ(8u, Rows().size());
}

TEST(RepairAdviceTest, NamesWhatIsWrongAndTheCommand) {
  EXPECT_EQ("", RepairAdvice("t", {}));
  EXPECT_EQ(
      "table t: 2 files that Spark's VACUUM would delete, 1,000 files whose statistics hide rows "
      "from some readers; run `shopstream table repair t --apply`",
      RepairAdvice("t", {.files = 1000, .paths = 2, .statistics = 1000}));
}

}  // namespace
}  // namespace shopstream::lake::testing
