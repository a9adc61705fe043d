#include "lake/upkeep/compaction.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <string>
#include <thread>

#include "base/error_kind.h"
#include "base/json.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::Fault;
using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

using ::testing::HasSubstr;

constexpr char kPath[] = "bronze-events";

TableSpec Spec() {
  TableSpec spec;
  spec.path = kPath;
  spec.schema =
      arrow::schema({arrow::field("offset", arrow::int64()), arrow::field("text", arrow::utf8()),
                     arrow::field("late", arrow::int32()), arrow::field("region", arrow::utf8())});
  spec.partition_columns = {"region"};
  return spec;
}

std::shared_ptr<arrow::RecordBatch> Rows(int64_t begin, int64_t count, size_t text_bytes = 8) {
  arrow::Int64Builder offsets;
  arrow::StringBuilder texts;
  uint64_t state = static_cast<uint64_t>(begin) + 1;
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_TRUE(offsets.Append(begin + i).ok());
    std::string text;
    while (text.size() < text_bytes) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      text += static_cast<char>('!' + (state >> 40) % 90);
    }
    EXPECT_TRUE(texts.Append(text).ok());
  }
  const auto schema =
      arrow::schema({arrow::field("offset", arrow::int64()), arrow::field("text", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, count, {*offsets.Finish(), *texts.Finish()});
}

class CompactionTest : public ::testing::Test {
 protected:
  void SetUp() override { table_ = OpenTable(&store_); }

  static std::unique_ptr<Table> OpenTable(ObjectStore* store) {
    return Table::OpenOrCreate(store, Spec()).ValueOrDie();
  }
  static void Append(Table* table, const std::string& region,
                     const std::shared_ptr<arrow::RecordBatch>& rows) {
    Changes changes;
    DataFile file = WriteDataFile(table->store(), kPath, {{"region", region}}, rows).ValueOrDie();
    file.modified_ms += table->snapshot()->version();  // Never two in the same millisecond.
    changes.adds = {file};
    changes.written_since = BootClock::now();
    changes.txns = {{"reader/" + region, rows->num_rows()}};
    const auto result = table->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000});
    ASSERT_EQ(CommitOutcome::kCommitted, result.ValueOrDie().outcome);
  }
  // Three small files in each of two regions.
  static void AppendSixFiles(Table* table) {
    for (int i = 0; i < 3; ++i) {
      Append(table, "US", Rows(i * 10, 10));
      Append(table, "EU", Rows(1000 + i * 10, 10));
    }
  }
  // Each row of the table as text, read over a connection that does not fail.
  std::multiset<std::string> AllRows() { return AllRows(store_.inner()); }
  static std::multiset<std::string> AllRows(ObjectStore* store) {
    std::multiset<std::string> rows;
    const auto snapshot = Table::Open(store, kPath).ValueOrDie()->snapshot();
    for (const DataFile& file : snapshot->Files()) {
      const auto table = ReadDataFile(store, kPath, file, snapshot->schema()).ValueOrDie();
      EXPECT_EQ(file.rows, table->num_rows());
      for (int64_t i = 0; i < table->num_rows(); ++i) {
        std::string row;
        for (const auto& column : table->columns()) {
          row += (*column->GetScalar(i))->ToString() + "|";
        }
        rows.insert(row);
      }
    }
    return rows;
  }
  std::vector<DataFile> Files() {
    return Table::Open(store_.inner(), kPath).ValueOrDie()->snapshot()->Files();
  }
  int64_t StoredFiles() {
    int64_t count = 0;
    for (const auto& entry : store_.inner()->List(kPath).ValueOrDie()) {
      count += entry.path.ends_with(".parquet");
    }
    return count;
  }
  static CompactionOptions Quick() {
    CompactionOptions options;
    options.patience = {.first = Millis{1}, .longest = Millis{20}, .give_up_after = Millis{5000}};
    return options;
  }

  FaultyStore store_{std::make_unique<MemoryStore>()};
  std::unique_ptr<Table> table_;
};

TEST_F(CompactionTest, MergesEachPartitionAndKeepsEveryRow) {
  AppendSixFiles(table_.get());
  const auto before = AllRows();
  const auto txns = table_->snapshot()->Txns();
  const CompactionResult result = Compact(table_.get(), {}).ValueOrDie();
  EXPECT_EQ(before, AllRows());
  EXPECT_EQ(6, result.files_removed);
  EXPECT_EQ(2, result.files_added);
  EXPECT_EQ(60, result.rows);
  EXPECT_EQ(1, result.commits);
  EXPECT_EQ(txns, table_->snapshot()->Txns());
  const auto files = Files();
  ASSERT_EQ(2U, files.size());
  EXPECT_THAT(files[1].path, HasSubstr("region=US/"));
  EXPECT_THAT(files[1].statistics, HasSubstr(R"("numRecords":30)"));
  EXPECT_THAT(files[1].statistics, HasSubstr(R"("offset":29)"));
  EXPECT_EQ(8, StoredFiles());  // Readers of older versions still find theirs.
  EXPECT_EQ(0, Compact(table_.get(), {})->commits);
}

// A separate table whose files have one row each.
class CompactionStatisticsTest : public ::testing::Test {
 protected:
  DataFile Merged(const std::shared_ptr<arrow::Array>& values) {
    TableSpec spec;
    spec.path = "statistics";
    spec.schema = arrow::schema({arrow::field("v", values->type())});
    const auto table = Table::OpenOrCreate(&store_, spec).ValueOrDie();
    for (int64_t i = 0; i < values->length(); ++i) {
      const auto row = arrow::RecordBatch::Make(spec.schema, 1, {values->Slice(i, 1)});
      Changes changes;
      changes.adds = {WriteDataFile(&store_, spec.path, {}, row).ValueOrDie()};
      changes.written_since = BootClock::now();
      EXPECT_TRUE(table->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000}).ok());
    }
    EXPECT_EQ(1, Compact(table.get(), {}).ValueOrDie().files_added);
    return table->snapshot()->Files().at(0);
  }
  bool FooterHasBounds(const DataFile& file) {
    const auto reader =
        parquet::ParquetFileReader::Open(store_.OpenInput("statistics/" + file.path).ValueOrDie());
    const auto statistics = reader->metadata()->RowGroup(0)->ColumnChunk(0)->statistics();
    return statistics != nullptr && statistics->HasMinMax();
  }

  MemoryStore store_;
};

TEST_F(CompactionStatisticsTest, NotANumberThatComesLateBoundsNothing) {
  arrow::DoubleBuilder builder;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(builder.Append(i == 19 ? std::nan("") : i).ok());
  const DataFile file = Merged(*builder.Finish());
  EXPECT_EQ(R"({"numRecords":20})", file.statistics);
  EXPECT_FALSE(FooterHasBounds(file));
}

TEST_F(CompactionStatisticsTest, LongTextIsBounded) {
  arrow::StringBuilder builder;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(builder.Append(i == 10 ? std::string(5000, 'a') : "b" + std::to_string(i)).ok());
  }
  EXPECT_EQ(R"({"numRecords":20,"minValues":{"v":")" + std::string(32, 'a') +
                R"("},"maxValues":{"v":"b9"},"nullCount":{"v":0}})",
            Merged(*builder.Finish()).statistics);
}

TEST_F(CompactionStatisticsTest, AYearThatNoTextShowsBoundsNothing) {
  arrow::Date32Builder builder;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(builder.Append(i == 19 ? 2147483647 : i).ok());
  const DataFile file = Merged(*builder.Finish());
  EXPECT_EQ(R"({"numRecords":20})", file.statistics);
  EXPECT_FALSE(FooterHasBounds(file));
}

TEST_F(CompactionTest, RowsStayInOrderOfArrival) {
  for (int i = 0; i < 5; ++i) Append(table_.get(), "US", Rows(i * 100, 100));
  ASSERT_TRUE(Compact(table_.get(), {}).ok());
  const auto files = Files();
  ASSERT_EQ(1U, files.size());
  const auto rows =
      ReadDataFile(&store_, kPath, files[0], table_->snapshot()->schema(), {"offset"});
  for (int64_t i = 0; i < 500; ++i) {
    ASSERT_EQ(std::to_string(i), (*(*rows)->column(0)->GetScalar(i))->ToString());
  }
}

TEST_F(CompactionTest, TheCommitSaysThatNoRowsChange) {
  AppendSixFiles(table_.get());
  ASSERT_TRUE(Compact(table_.get(), {}).ok());
  const auto entry =
      ReadLogEntry(&store_, kPath, table_->snapshot()->version()).ValueOrDie().value();
  EXPECT_EQ("OPTIMIZE", (*entry.commit_info)["operation"]);
  EXPECT_EQ("6", (*entry.commit_info)["operationMetrics"]["numRemovedFiles"]);
  EXPECT_EQ("2", (*entry.commit_info)["operationMetrics"]["numAddedFiles"]);
  EXPECT_EQ(false, (*entry.commit_info)["isBlindAppend"]);
  EXPECT_TRUE(entry.txns.empty());
  ASSERT_EQ(6U, entry.removes.size());
  for (const auto& remove : entry.removes) {
    EXPECT_FALSE(remove.data_change);
    EXPECT_TRUE(remove.size_bytes.has_value());
    EXPECT_EQ(1U, remove.partition_values.size());
  }
  for (const auto& add : entry.adds) EXPECT_FALSE(add.data_change);
}

TEST_F(CompactionTest, FilesOfOtherColumnsAndTypesAreBroughtToTheTables) {
  const auto narrow = arrow::schema({arrow::field("offset", arrow::int32())});
  Append(table_.get(), "US",
         arrow::RecordBatch::Make(
             narrow, 2, {*arrow::json::ArrayFromJSONString(arrow::int32(), "[7, null]")}));
  const auto wide = arrow::schema({arrow::field("late", arrow::int32()),
                                   arrow::field("text", arrow::large_utf8()),
                                   arrow::field("unknown", arrow::utf8())});
  Append(table_.get(), "US",
         arrow::RecordBatch::Make(
             wide, 2,
             {*arrow::json::ArrayFromJSONString(arrow::int32(), "[1, 2]"),
              *arrow::json::ArrayFromJSONString(arrow::large_utf8(), R"(["a", "b"])"),
              *arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["x", "y"])")}));
  Append(table_.get(), "US", Rows(0, 2));
  const auto before = AllRows();
  ASSERT_EQ(1U, before.count("7|null|null|US|"));
  ASSERT_EQ(1U, before.count("null|a|1|US|"));
  ASSERT_EQ(3, Compact(table_.get(), {})->files_removed);
  EXPECT_EQ(before, AllRows());
}

TEST_F(CompactionTest, FilesWithoutRowsAreMergedToo) {
  Append(table_.get(), "US", Rows(0, 0));
  Append(table_.get(), "US", Rows(0, 0));
  ASSERT_EQ(1, Compact(table_.get(), {})->files_added);
  EXPECT_TRUE(AllRows().empty());
}

TEST_F(CompactionTest, MemoryStaysWithinItsBound) {
  for (int i = 0; i < 8; ++i) Append(table_.get(), "US", Rows(i * 70'000, 70'000, 100));
  for (int i = 0; i < 200; ++i) Append(table_.get(), "US", Rows(1'000'000 + i * 10, 10, 100));
  int64_t bytes = 0;
  for (const DataFile& file : Files()) bytes += file.size_bytes;
  CompactionOptions options;
  options.memory_bytes = 16 << 20;
  ASSERT_GT(bytes, 2 * options.memory_bytes);
  const CompactionResult result = Compact(table_.get(), options).ValueOrDie();
  EXPECT_EQ(208, result.files_removed);
  EXPECT_EQ(562'000, result.rows);
  EXPECT_LE(result.peak_memory_bytes, options.memory_bytes);
  EXPECT_GT(result.peak_memory_bytes, options.memory_bytes / 8);  // Something was measured.
}

TEST_F(CompactionTest, AFileThatIsNotWhatTheLogSaysStopsOnlyItself) {
  AppendSixFiles(table_.get());
  const auto before = AllRows();
  const std::string broken = std::string(kPath) + "/" + Files()[0].path;  // In EU.
  const auto content = *store_.Get(broken);
  ASSERT_TRUE(store_.Put(broken, *arrow::Buffer::FromString("not a Parquet file")).ok());
  const auto result = Compact(table_.get(), Quick());
  EXPECT_TRUE(result.status().IsInvalid());
  EXPECT_THAT(result.status().message(), HasSubstr(broken));
  EXPECT_EQ(3U, Files().size());
  ASSERT_TRUE(store_.Put(broken, *content).ok());
  EXPECT_EQ(before, AllRows());
  EXPECT_TRUE(Compact(table_.get(), Quick()).ok());
  EXPECT_EQ(before, AllRows());
}

TEST_F(CompactionTest, AStopDiscardsWhatIsUnfinished) {
  AppendSixFiles(table_.get());
  int asked = 0;
  const CompactionResult result =
      Compact(table_.get(), {}, {.stop = [&] { return ++asked > 4; }}).ValueOrDie();
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(0, result.commits);
  EXPECT_EQ(6, StoredFiles());
  EXPECT_EQ(6U, Files().size());
}

TEST_F(CompactionTest, WorkIsBoundedAsToldAndTheRestComesNext) {
  AppendSixFiles(table_.get());
  CompactionOptions options;
  options.max_bytes = 1;
  EXPECT_EQ(3, Compact(table_.get(), options)->files_removed);
  EXPECT_EQ(3, Compact(table_.get(), options)->files_removed);
  EXPECT_EQ(0, Compact(table_.get(), options)->files_removed);
}

// Another optimizer merges the files of US between our write and our commit.
TEST_F(CompactionTest, WhatWasOvertakenIsDiscardedAndTheRestStands) {
  AppendSixFiles(table_.get());
  const auto before = AllRows();
  const auto other = OpenTable(store_.inner());
  bool done = false;
  store_.On(Operation::kPutIfAbsent, "_delta_log/").Calls([&](const std::string&) {
    if (std::exchange(done, true)) return;
    const auto only_us = [](std::vector<DataFile> files) {
      std::erase_if(files, [](const DataFile& f) { return f.partition_values[0].second != "US"; });
      return PlanCompaction(std::move(files), {});
    };
    EXPECT_EQ(1, Compact(other.get(), {}, {.plan = only_us})->files_added);
  });
  const CompactionResult result = Compact(table_.get(), Quick()).ValueOrDie();
  EXPECT_EQ(3, result.files_removed);
  EXPECT_EQ(1, result.conflicts);
  EXPECT_EQ(2U, Files().size());
  EXPECT_EQ(8, StoredFiles());  // Six inputs and two merges: the stale one is deleted.
  EXPECT_EQ(before, AllRows());
}

TEST_F(CompactionTest, GivesUpWithTheReasonWhenStorageStaysAway) {
  AppendSixFiles(table_.get());
  store_.On(Operation::kOpenOutput).FailsBefore().Always();
  CompactionOptions options = Quick();
  options.patience.give_up_after = Millis{50};
  const auto result = Compact(table_.get(), options);
  EXPECT_TRUE(result.status().IsIOError());
  EXPECT_THAT(result.status().message(), HasSubstr("injected fault"));
  EXPECT_EQ(6U, Files().size());
}

enum class Damage { kPage, kTail, kMissing, kRows };

class CompactionDamage : public CompactionTest, public ::testing::WithParamInterface<Damage> {
 protected:
  void Spoil(const DataFile& file) {
    const std::string path = std::string(kPath) + "/" + file.path;
    const auto content = store_.Get(path).ValueOrDie();
    std::string bytes = content->ToString();
    if (GetParam() == Damage::kPage) std::fill_n(bytes.begin() + 4, 24, '\xff');
    if (GetParam() == Damage::kTail) std::fill(bytes.end() - 4, bytes.end(), '?');
    if (GetParam() == Damage::kRows) {
      auto other = WriteDataFile(&store_, kPath, file.partition_values, Rows(0, 3)).ValueOrDie();
      bytes = store_.Get(std::string(kPath) + "/" + other.path).ValueOrDie()->ToString();
    }
    ASSERT_TRUE(GetParam() == Damage::kMissing
                    ? store_.Delete(path).ok()
                    : store_.Put(path, *arrow::Buffer::FromString(bytes)).ok());
  }
};

// A damaged file neither prevents the merge of the others nor is waited for.
TEST_P(CompactionDamage, OfOneFileIsNamedAndTheOthersOfItsPartitionMerge) {
  AppendSixFiles(table_.get());
  const DataFile bad = Files()[2];
  Spoil(bad);
  const auto begun = BootClock::now();
  const auto result = Compact(table_.get(), {});
  EXPECT_LT(BootClock::now() - begun, CompactionOptions{}.patience.give_up_after / 4);
  ASSERT_FALSE(result.ok());
  EXPECT_FALSE(IsUnavailable(result.status())) << result.status();
  EXPECT_THAT(result.status().message(), HasSubstr(bad.path));
  const auto live = Files();  // One merge in each partition, and the bad one.
  EXPECT_EQ(3U, live.size());
  EXPECT_TRUE(std::any_of(live.begin(), live.end(),
                          [&](const DataFile& file) { return file.path == bad.path; }));
}

INSTANTIATE_TEST_SUITE_P(Damages, CompactionDamage,
                         ::testing::Values(Damage::kPage, Damage::kTail, Damage::kMissing,
                                           Damage::kRows));

enum class Harm { kFails, kLosesReply, kTears, kDies };

class CompactionHarm : public CompactionTest, public ::testing::WithParamInterface<Harm> {};

// Whichever call fails, or is the last before the process dies: the same rows.
TEST_P(CompactionHarm, EveryStorageCallMayGoWrong) {
  AppendSixFiles(table_.get());
  const auto before = AllRows();
  int calls = 0;
  for (;; ++calls) {
    SCOPED_TRACE(calls);
    FaultyStore store(std::make_unique<MemoryStore>());
    for (const auto& entry : *store_.inner()->List("", "")) {
      ASSERT_TRUE(store.Put(entry.path, **store_.inner()->Get(entry.path)).ok());
    }
    auto table = OpenTable(&store);
    bool struck = false;
    Fault& fault = store.OnAny().Skipping(calls).Calls([&](const std::string&) { struck = true; });
    CompactionOptions options = Quick();
    if (GetParam() == Harm::kFails) fault.FailsBefore();
    if (GetParam() == Harm::kLosesReply) fault.LosesReply();
    if (GetParam() == Harm::kTears) fault.TearsWrite();
    if (GetParam() == Harm::kDies) {
      fault.FailsBefore().Always();
      options.patience.give_up_after = Millis{0};
      options.commit_deadline = Millis{20};
    }
    const auto result = Compact(table.get(), options);
    EXPECT_EQ(result.ok(), GetParam() != Harm::kDies || !struck) << result.status();
    table.reset();
    store.Heal();
    EXPECT_EQ(before, AllRows(store.inner()));
    table = OpenTable(&store);
    EXPECT_TRUE(Compact(table.get(), Quick()).ok());
    EXPECT_EQ(before, AllRows(store.inner()));
    EXPECT_EQ(2, table->snapshot()->file_count());
    if (!struck) break;
  }
  EXPECT_GT(calls, 20);
}

INSTANTIATE_TEST_SUITE_P(Harms, CompactionHarm,
                         ::testing::Values(Harm::kFails, Harm::kLosesReply, Harm::kTears,
                                           Harm::kDies));

TEST_F(CompactionTest, AppendersAndTwoOptimizersAtOnce) {
  constexpr int kAppends = 60;
  std::atomic<int> appending = 2;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      const auto table = OpenTable(store_.inner());
      for (int i = 0; i < kAppends; ++i) {
        Append(table.get(), i % 2 == 0 ? "US" : "EU", Rows(writer * 10'000 + i * 10, 10));
      }
      --appending;
    });
  }
  std::atomic<int64_t> merged = 0;
  for (int optimizer = 0; optimizer < 2; ++optimizer) {
    threads.emplace_back([&] {
      const auto table = OpenTable(store_.inner());
      for (bool last = false; !last;) {
        last = appending == 0;
        const auto result = Compact(table.get(), Quick());
        ASSERT_TRUE(result.ok()) << result.status();
        merged += result->files_removed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto rows = AllRows();
  EXPECT_EQ(2U * kAppends * 10U, rows.size());
  EXPECT_EQ(rows.size(), std::set(rows.begin(), rows.end()).size());
  EXPECT_LE(Files().size(), 8U);
  EXPECT_GE(merged, 2 * kAppends - 8);
}

}  // namespace
}  // namespace shopstream::lake
