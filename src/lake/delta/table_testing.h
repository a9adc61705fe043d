#pragma once

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

// A table of named files that exist in its log only, for tests of the log.
namespace shopstream::lake::testing {

inline constexpr char kPath[] = "bronze-events";

inline TableSpec Spec() {
  TableSpec spec;
  spec.path = kPath;
  spec.schema = arrow::schema(
      {arrow::field("event_id", arrow::utf8()), arrow::field("amount", arrow::float64()),
       arrow::field("region", arrow::utf8()), arrow::field("date", arrow::date32())});
  spec.partition_columns = {"region", "date"};
  return spec;
}

inline DataFile File(const std::string& name) {
  DataFile file;
  file.path = "region=US/date=2025-10-24/" + name;
  file.partition_values = {{"region", "US"}, {"date", "2025-10-24"}};
  file.size_bytes = 100;
  file.rows = 3;
  file.modified_ms = 1761264000000;
  file.statistics = R"({"numRecords":3,"minValues":{"amount":1.5},"nullCount":{"amount":0}})";
  return file;
}

inline std::vector<std::string> Names(const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const DataFile& file : snapshot.Files()) {
    names.push_back(file.path.substr(file.path.rfind('/') + 1));
  }
  return names;
}

// Everything that a reader can see of a version, as text.
inline std::string Described(const Snapshot& snapshot) {
  std::string out = snapshot.schema()->ToString();
  for (const auto& [key, value] : snapshot.properties()) out += "\n" + key + "=" + value;
  for (const auto& [app_id, version] : snapshot.Txns()) {
    out += "\n" + app_id + "@" + std::to_string(version);
  }
  for (const DataFile& file : snapshot.Files()) {
    out += "\n" + file.path + " " + std::to_string(file.size_bytes) + " " +
           std::to_string(file.rows) + " " + std::to_string(file.modified_ms) + " " +
           file.statistics;
    for (const auto& [column, value] : file.partition_values) {
      out += " " + column + "=" + value.value_or("null");
    }
  }
  return out;
}

class TableTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen(const TableSpec& spec = Spec()) {
    table_.reset();  // Waits for the checkpoint it is writing.
    auto table = Table::OpenOrCreate(&store_, spec);
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }

  static BootClock::time_point In(Millis time) { return BootClock::now() + time; }

  CommitResult Commit(const Changes& changes, Millis time = Millis{10000}) {
    auto result = table_->Commit(Unconditionally(changes), In(time));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ValueOr(CommitResult());
  }
  CommitResult Append(const std::string& name, Millis time = Millis{10000}) {
    Changes changes;
    changes.adds = {File(name)};
    changes.written_since = BootClock::now();
    return Commit(changes, time);
  }
  Status AppendError(const std::string& name) {
    Changes changes;
    changes.adds = {File(name)};
    changes.written_since = BootClock::now();
    return table_->Commit(Unconditionally(changes), In(Millis{10000})).status();
  }

  // Another program, with its own connection that does not fail.
  std::unique_ptr<Table> OtherWriter() {
    return Table::OpenOrCreate(store_.inner(), Spec()).ValueOrDie();
  }
  void OtherAppends(const std::string& name) {
    Changes changes;
    changes.adds = {File(name)};
    changes.written_since = BootClock::now();
    ASSERT_EQ(CommitOutcome::kCommitted,
              OtherWriter()->Commit(Unconditionally(changes), In(Millis{10000}))->outcome);
  }
  void OtherWritesEntry(const std::string& json_lines) {
    const int64_t version = Table::Open(store_.inner(), kPath).ValueOrDie()->snapshot()->version();
    PutText(LogEntryPath(kPath, version + 1), json_lines);
  }
  void PutText(const std::string& path, const std::string& text) {
    ASSERT_TRUE(store_.inner()->Put(path, *arrow::Buffer::FromString(text)).ok());
  }
  void Delete(const std::string& path) { ASSERT_TRUE(store_.inner()->Delete(path).ok()); }

  std::shared_ptr<const Snapshot> Loaded() {
    auto table = Table::Open(store_.inner(), kPath);
    EXPECT_TRUE(table.ok()) << table.status();
    return table.ok() ? (*table)->snapshot() : nullptr;
  }
  int64_t EntryCount() {
    int64_t count = 0;
    const auto objects = store_.inner()->List(LogFolder(kPath)).ValueOrDie();
    for (const auto& object : objects) count += object.path.ends_with(".json");
    return count;
  }
  bool HasCheckpoint(int64_t version) {
    return *store_.inner()->Get(CheckpointPath(version)) != nullptr;
  }
  static std::string CheckpointPath(int64_t version) {
    return LogFolder(kPath) + ZeroPadded(version, 20) + ".checkpoint.parquet";
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<Table> table_;
};

}  // namespace shopstream::lake::testing
