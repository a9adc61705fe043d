// A table's life at a steady rate in compressed time: how do files, log and bytes develop? Prints a
// JSON array with one object per simulated hour.
//
//   day_bench LAKE [HOURS] [EVENTS_PER_SECOND] [SECONDS_PER_COMMIT]
//
// Rows, files, commits, compaction by ingest's own policy, checkpoints, log clean-up and an hourly
// vacuum are real; only the clock is simulated: each commit counts as SECONDS_PER_COMMIT, and the
// store's clock follows. Compaction runs between commits, not concurrently.

#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "lake/store/object_store.h"
#include "lake/store/uuid.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/maintenance_policy.h"
#include "lake/upkeep/vacuum.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

constexpr char kPath[] = "bronze-events";
constexpr const char* kRegions[] = {"ASIA", "EU", "US"};
constexpr int64_t kMidnightMs = 1761264000000;  // 2025-10-24
constexpr int64_t kHourMs = 3600 * 1000;
constexpr int kVersionsPerCompaction = 8;  // As in ingest's maintenance.

// Another store's objects with simulated times: each is as old as the simulated time at which it
// was written.
class SimulatedTime : public ObjectStore {
 public:
  explicit SimulatedTime(std::unique_ptr<ObjectStore> inner) : inner_(std::move(inner)) {}

  // From now on the time is `now_ms`. One thread; others may use the store meanwhile.
  void Set(int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    moments_.emplace_back(WallClockMillis(), now_ms);
  }

  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    return inner_->Get(path);
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override {
    return inner_->OpenInput(path);
  }
  Status Put(const std::string& path, const arrow::Buffer& content) override {
    return inner_->Put(path, content);
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override {
    return inner_->OpenOutput(path);
  }
  Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) override {
    return inner_->PutIfAbsent(path, content);
  }
  Result<std::vector<ObjectEntry>> List(const std::string& prefix,
                                        const std::string& after) override {
    ARROW_ASSIGN_OR_RAISE(auto entries, inner_->List(prefix, after));
    for (ObjectEntry& entry : entries) entry.modified_ms = Simulated(entry.modified_ms);
    return entries;
  }
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override {
    return inner_->ListFolders(folder);
  }
  Status Delete(const std::string& path) override { return inner_->Delete(path); }
  Result<int64_t> Now() override { return Simulated(WallClockMillis()); }
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) override {
    return inner_->RemoveAbandonedWrites(min_age);
  }
  std::string Describe() const override { return inner_->Describe(); }

 private:
  int64_t Simulated(int64_t wall_ms) {
    const std::lock_guard lock(mutex_);
    const auto after =
        std::upper_bound(moments_.begin(), moments_.end(), wall_ms,
                         [](int64_t wall, const std::pair<int64_t, int64_t>& moment) {
                           return wall < moment.first;
                         });
    return after == moments_.begin() ? moments_.front().second : std::prev(after)->second;
  }

  const std::unique_ptr<ObjectStore> inner_;
  std::mutex mutex_;
  std::vector<std::pair<int64_t, int64_t>> moments_;  // Wall clock, simulated; guarded by mutex_.
};

// Rows that cost about as much as Bronze's: a unique id, some categories, numbers, progress.
class Rows {
 public:
  Result<std::shared_ptr<arrow::RecordBatch>> Make(int64_t count, int64_t now_ms) {
    arrow::StringBuilder ids, products;
    arrow::Int64Builder users, offsets;
    arrow::DoubleBuilder amounts;
    arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                  arrow::default_memory_pool());
    for (int64_t i = 0; i < count; ++i) {
      ARROW_RETURN_NOT_OK(ids.Append(NewUuid()));
      ARROW_RETURN_NOT_OK(products.Append("P" + std::to_string(1000 + random_() % 500)));
      ARROW_RETURN_NOT_OK(users.Append(static_cast<int64_t>(random_() % 50'000)));
      ARROW_RETURN_NOT_OK(offsets.Append(next_offset_++));
      ARROW_RETURN_NOT_OK(amounts.Append(static_cast<double>(100 + random_() % 50'000) / 100));
      ARROW_RETURN_NOT_OK(times.Append(now_ms * 1000 + static_cast<int64_t>(random_() % 60'000)));
    }
    arrow::ArrayVector columns(6);
    ARROW_RETURN_NOT_OK(ids.Finish(&columns[0]));
    ARROW_RETURN_NOT_OK(products.Finish(&columns[1]));
    ARROW_RETURN_NOT_OK(users.Finish(&columns[2]));
    ARROW_RETURN_NOT_OK(amounts.Finish(&columns[3]));
    ARROW_RETURN_NOT_OK(times.Finish(&columns[4]));
    ARROW_RETURN_NOT_OK(offsets.Finish(&columns[5]));
    return arrow::RecordBatch::Make(Schema(), count, std::move(columns));
  }
  static std::shared_ptr<arrow::Schema> Schema() {
    return arrow::schema(
        {arrow::field("event_id", arrow::utf8()), arrow::field("product_id", arrow::utf8()),
         arrow::field("user_id", arrow::int64()), arrow::field("amount", arrow::float64()),
         arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
         arrow::field("kafka_offset", arrow::int64())});
  }

 private:
  std::mt19937_64 random_{7};
  int64_t next_offset_ = 0;
};

class Day {
 public:
  Day(SimulatedTime* store, int64_t rate, int64_t step_seconds)
      : store_(store), rate_(rate), step_ms_(step_seconds * 1000) {}

  Status Run(int64_t hours) {
    store_->Set(now_ms_);
    TableSpec spec{.path = kPath,
                   .schema = nullptr,
                   .partition_columns = {"region", "date"},
                   .properties = {}};
    arrow::FieldVector fields = Rows::Schema()->fields();
    fields.push_back(arrow::field("region", arrow::utf8()));
    fields.push_back(arrow::field("date", arrow::date32()));
    spec.schema = arrow::schema(fields);
    // Tombstones use the wall clock: about this many seconds pass per simulated hour.
    spec.properties = {{"delta.deletedFileRetentionDuration", "interval 10 seconds"}};
    ARROW_ASSIGN_OR_RAISE(table_, Table::OpenOrCreate(store_, spec));
    for (int64_t hour = 1; hour <= hours; ++hour) {
      for (int64_t at = 0; at < kHourMs; at += step_ms_) ARROW_RETURN_NOT_OK(Step());
      ARROW_ASSIGN_OR_RAISE(const auto vacuumed, Vacuum(table_.get(), {}, [] { return false; }));
      ARROW_RETURN_NOT_OK(Report(hour, vacuumed.files));
    }
    std::cout << curve_.dump() << "\n";
    return Status::OK();
  }

 private:
  Status Step() {
    now_ms_ += step_ms_;
    store_->Set(now_ms_);
    const std::string date = FormatTimestamp(now_ms_).substr(0, 10);
    Changes changes;
    changes.written_since = BootClock::now();
    for (const char* region : kRegions) {
      ARROW_ASSIGN_OR_RAISE(const auto rows, rows_.Make(rate_ * step_ms_ / 1000 / 3, now_ms_));
      ARROW_ASSIGN_OR_RAISE(
          DataFile file, WriteDataFile(store_, kPath, {{"region", region}, {"date", date}}, rows));
      file.modified_ms = now_ms_;
      changes.adds.push_back(std::move(file));
    }
    changes.txns["shopstream/day/0"] = ++steps_;
    ARROW_ASSIGN_OR_RAISE(
        const auto result,
        table_->Commit(Unconditionally(changes), BootClock::now() + std::chrono::seconds(60)));
    if (result.outcome != CommitOutcome::kCommitted) return Status::IOError(result.detail);
    if (steps_ % kVersionsPerCompaction == 0) ARROW_RETURN_NOT_OK(Compact());
    return NoteSmallFiles();
  }

  Status Compact() {
    const auto plan = [this](std::vector<DataFile> files) {
      return lake::PlanMaintenance(std::move(files), now_ms_, {});
    };
    ARROW_ASSIGN_OR_RAISE(const auto done,
                          lake::Compact(table_.get(), {.plan = {}, .memory_bytes = 16 << 20},
                                        {.plan = plan, .stop = {}, .progress = {}}));
    bytes_rewritten_ += done.bytes_added;
    return Status::OK();
  }

  Status NoteSmallFiles() {
    std::map<PartitionValues, int64_t> counts;
    table_->snapshot()->VisitFiles([&](const DataFile& file) {
      if (file.size_bytes < CompactionPlanOptions{}.small_bytes) ++counts[file.partition_values];
    });
    for (const auto& [partition, count] : counts) most_small_ = std::max(most_small_, count);
    return Status::OK();
  }

  Status Report(int64_t hour, int64_t vacuumed) {
    int64_t live_bytes = 0;
    table_->snapshot()->VisitFiles([&](const DataFile& file) { live_bytes += file.size_bytes; });
    ARROW_ASSIGN_OR_RAISE(const auto objects, store_->List(kPath, ""));
    int64_t log_objects = 0, stored_bytes = 0, checkpoint_bytes = 0;
    for (const ObjectEntry& object : objects) {
      stored_bytes += object.size_bytes;
      if (!object.path.starts_with(LogFolder(kPath))) continue;
      ++log_objects;
      if (object.path.ends_with(".checkpoint.parquet")) checkpoint_bytes = object.size_bytes;
    }
    const auto opening = BootClock::now();
    ARROW_RETURN_NOT_OK(Table::Open(store_, kPath).status());
    const auto open_ms = std::chrono::duration<double, std::milli>(BootClock::now() - opening);
    curve_.push_back({{"hour", hour},
                      {"live_files", table_->snapshot()->file_count()},
                      {"most_small_files", std::exchange(most_small_, 0)},
                      {"live_bytes", live_bytes},
                      {"stored_bytes", stored_bytes},
                      {"rewritten_bytes", bytes_rewritten_},
                      {"log_objects", log_objects},
                      {"checkpoint_bytes", checkpoint_bytes},
                      {"vacuumed_files", vacuumed},
                      {"open_ms", open_ms.count()}});
    std::cerr << "hour " << hour << ": " << curve_.back().dump() << "\n";
    return Status::OK();
  }

  SimulatedTime* const store_;
  const int64_t rate_;
  const int64_t step_ms_;
  Rows rows_;
  std::unique_ptr<Table> table_;
  int64_t now_ms_ = kMidnightMs;
  int64_t steps_ = 0;
  int64_t most_small_ = 0;
  int64_t bytes_rewritten_ = 0;
  json curve_ = json::array();
};

Status RunDay(const std::string& root, int64_t hours, int64_t rate, int64_t step_seconds) {
  Config config;
  config.lake.uri = root;
  ARROW_ASSIGN_OR_RAISE(auto disk, OpenObjectStore(config));
  SimulatedTime store(std::move(disk));
  return Day(&store, rate, step_seconds).Run(hours);
}

}  // namespace
}  // namespace shopstream::lake

int main(int argc, char** argv) {
  const auto number = [&](int i, int64_t otherwise) {
    return argc > i ? std::atoll(argv[i]) : otherwise;
  };
  const int64_t hours = number(2, 30), rate = number(3, 1000), step = number(4, 10);
  if (argc < 2 || hours < 1 || rate < 3 || step < 1) {
    std::cerr << "usage: day_bench LAKE [HOURS] [EVENTS_PER_SECOND] [SECONDS_PER_COMMIT]\n";
    return 2;
  }
  if (!shopstream::StartLogging({.level = "error"}).ok()) return 1;
  const auto status = shopstream::lake::RunDay(argv[1], hours, rate, step);
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
