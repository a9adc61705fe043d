#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake::testing {

using simulate::Fault;
using simulate::FaultyStore;
using simulate::MemoryStore;

inline constexpr char kPath[] = "bronze-events";

inline TableSpec SmallSpec(const std::map<std::string, std::string>& properties = {}) {
  TableSpec spec;
  spec.path = kPath;
  spec.schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("name", arrow::utf8()),
                     arrow::field("region", arrow::utf8())});
  spec.partition_columns = {"region"};
  spec.properties = properties;
  return spec;
}

// A table of real files in its own store, whose clock the test moves and which fails on request.
// The test's own checks bypass the faults.
class LakeTest : public ::testing::Test {
 protected:
  void SetUp() override { Create({}); }

  // Starts over.
  void Create(const std::map<std::string, std::string>& properties) {
    table_.reset();
    store_ = std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
    table_ = Table::OpenOrCreate(store_.get(), SmallSpec(properties)).ValueOrDie();
  }
  // Opens the table as another program would; waits for this one's checkpoint.
  void Reopen() {
    table_.reset();
    table_ = Table::Open(store_.get(), kPath).ValueOrDie();
  }
  void AdvanceClock(Millis by) { static_cast<MemoryStore*>(store_->inner())->AdvanceClock(by); }

  // A file that exists only in the log.
  static DataFile Fake(int64_t number) {
    DataFile file;
    file.path = "region=EU/" + std::to_string(number) + ".parquet";
    file.partition_values = {{"region", "EU"}};
    file.size_bytes = 100;
    file.rows = number;
    file.statistics = R"({"numRecords":)" + std::to_string(number) + "}";
    return file;
  }
  // Rows first, first + 1, ... with a null name in every third row.
  DataFile WriteFile(int64_t first, int64_t count, const std::string& region = "EU") {
    arrow::Int64Builder n;
    arrow::StringBuilder name;
    for (int64_t i = first; i < first + count; ++i) {
      EXPECT_TRUE(n.Append(i).ok());
      const std::string text = "name-" + std::to_string(i);
      EXPECT_TRUE((i % 3 == 0 ? name.AppendNull() : name.Append(text)).ok());
    }
    const auto rows = arrow::RecordBatch::Make(
        arrow::schema({arrow::field("n", arrow::int64()), arrow::field("name", arrow::utf8())}),
        count, {n.Finish().ValueOrDie(), name.Finish().ValueOrDie()});
    return WriteDataFile(store_->inner(), kPath, {{"region", region}}, rows).ValueOrDie();
  }
  void Commit(std::vector<DataFile> adds, std::vector<DataFile> removes = {}) {
    Changes changes;
    changes.adds = std::move(adds);
    if (!changes.adds.empty()) changes.written_since = BootClock::now();
    changes.removes = std::move(removes);
    changes.txns["app"] = table_->snapshot()->Txn("app").value_or(0) + 1;
    const auto result = table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20000});
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(CommitOutcome::kCommitted, result->outcome) << result->detail;
  }
  DataFile Append(int64_t first, int64_t count = 10, const std::string& region = "EU") {
    DataFile file = WriteFile(first, count, region);
    Commit({file});
    return file;
  }

  // Sets properties of an open table, as another engine would; Create's argument is for new tables.
  void ChangeProperties(const std::map<std::string, std::string>& properties) {
    const auto text = *store_->inner()->Get(LogEntryPath(kPath, 0));
    LogEntry change;
    change.metadata = ParseLogEntry(std::string_view(*text), "0")->metadata;
    for (const auto& [name, value] : properties) change.metadata->configuration[name] = value;
    const int64_t version = (*Table::Open(store_->inner(), kPath))->snapshot()->version();
    PutText(LogEntryPath(kPath, version + 1), FormatLogEntry(change));
  }

  bool Exists(const std::string& path) { return *store_->inner()->Get(path) != nullptr; }
  bool Exists(const DataFile& file) { return Exists(std::string(kPath) + "/" + file.path); }
  void PutText(const std::string& path, const std::string& text) {
    ASSERT_TRUE(store_->inner()->Put(path, *arrow::Buffer::FromString(text)).ok());
  }
  void Delete(const std::string& path) { ASSERT_TRUE(store_->inner()->Delete(path).ok()); }
  std::vector<std::string> LogNames() {
    std::vector<std::string> names;
    for (const ObjectEntry& object : store_->inner()->List(LogFolder(kPath)).ValueOrDie()) {
      names.push_back(object.path.substr(LogFolder(kPath).size()));
    }
    return names;
  }

  // Everything that a reader opening the table now can see; every live file exists.
  std::string Described() {
    const auto table = Table::Open(store_->inner(), kPath);
    if (!table.ok()) return table.status().ToString();
    const auto snapshot = (*table)->snapshot();
    std::string out = "version " + std::to_string(snapshot->version());
    for (const auto& [app_id, version] : snapshot->Txns()) {
      out += "\n" + app_id + "@" + std::to_string(version);
    }
    for (const DataFile& file : snapshot->Files()) {
      out += "\n" + file.path + " " + std::to_string(file.rows) + " " + file.statistics;
      if (!Exists(file)) out += " IS MISSING";
    }
    return out;
  }

  // Runs `act` repeatedly in a world that `prepare` makes, and kills it before and after each of
  // its store calls and, for writes, halfway; `check` examines the result.
  template <typename Prepare, typename Act, typename Check>
  void KillEverywhere(const Prepare& prepare, const Act& act, const Check& check) {
    for (const char* moment : {"before", "after", "half-way"}) {
      for (int call = 0;; ++call) {
        SCOPED_TRACE(std::string(moment) + " call " + std::to_string(call));
        ASSERT_LT(call, 200);
        prepare();
        bool struck = false;
        Fault& last =
            store_->OnAny().Skipping(call).Calls([&](const std::string&) { struck = true; });
        if (moment == std::string("before")) last.FailsBefore();
        if (moment == std::string("after")) last.LosesReply();
        if (moment == std::string("half-way")) last.TearsWrite();
        store_->OnAny().Skipping(call).FailsBefore().Always();  // Dead from then on.
        act();
        store_->Heal();
        check();
        if (!struck || ::testing::Test::HasFatalFailure()) break;
      }
    }
  }

  std::unique_ptr<FaultyStore> store_;
  std::unique_ptr<Table> table_;
};

}  // namespace shopstream::lake::testing
