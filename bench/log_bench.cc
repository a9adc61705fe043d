// Ten thousand commits in a row: is the last as cheap as the first? Prints one JSON object.
//
//   log_bench LAKE [COMMITS]
//
// Each commit names three new files, like an ingest of three regions; every hundredth replaces the
// files of the last hundred with one large file each, like an optimizer. Only the log is real: no
// data file is written. After each measured commit comes a bare put of an entry's size, as a
// baseline for the disk's current speed.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "lake/delta/log_cleanup.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;
using std::chrono::duration;

constexpr char kPath[] = "bronze-events";
constexpr int kOptimizeEvery = 100;
constexpr int kEnds = 100;            // Number of commits compared at each end.
constexpr size_t kEntryBytes = 1800;  // About what such a commit writes.

double MillisSince(BootClock::time_point start) {
  return duration<double, std::milli>(BootClock::now() - start).count();
}

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

TableSpec Spec() {
  TableSpec spec;
  spec.path = kPath;
  spec.schema = arrow::schema(
      {arrow::field("event_id", arrow::utf8()), arrow::field("amount", arrow::float64()),
       arrow::field("kafka_offset", arrow::int64()), arrow::field("region", arrow::utf8()),
       arrow::field("date", arrow::date32())});
  spec.partition_columns = {"region", "date"};
  // The commits of an hour pass in seconds here, so tombstones live for a second, not an hour.
  spec.properties = {{"delta.deletedFileRetentionDuration", "interval 1 seconds"}};
  return spec;
}

DataFile File(const char* region, int64_t rows) {
  const std::string day = "2025-10-24";
  DataFile file;
  file.path = std::string("region=") + region + "/date=" + day + "/part-" + NewUuid() + ".parquet";
  file.partition_values = {{"region", region}, {"date", day}};
  file.size_bytes = rows * 30;
  file.rows = rows;
  file.modified_ms = WallClockMillis();
  const std::string id = NewUuid();
  file.statistics = json({{"numRecords", rows},
                          {"minValues", {{"event_id", id}, {"amount", 1.5}, {"kafka_offset", 7}}},
                          {"maxValues", {{"event_id", id}, {"amount", 99.5}, {"kafka_offset", 9}}},
                          {"nullCount", {{"event_id", 0}, {"amount", 0}, {"kafka_offset", 0}}}})
                        .dump();
  return file;
}

Status Commit(Table* table, const Changes& changes) {
  ARROW_ASSIGN_OR_RAISE(
      const CommitResult result,
      table->Commit(Unconditionally(changes), BootClock::now() + std::chrono::seconds(60)));
  if (result.outcome == CommitOutcome::kCommitted) return Status::OK();
  return Status::IOError("not committed: ", result.detail);
}

struct LogSize {
  int64_t objects = 0;
  int64_t newest_checkpoint_bytes = 0;
};

Result<LogSize> Measure(ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(LogFolder(kPath)));
  LogSize size;
  size.objects = static_cast<int64_t>(objects.size());
  for (const ObjectEntry& object : objects) {
    if (object.path.ends_with(".checkpoint.parquet"))
      size.newest_checkpoint_bytes = object.size_bytes;
  }
  return size;
}

// Makes the log 25 hours old.
void AgeLog(const std::string& root) {
  const timespec times[2] = {{0, UTIME_OMIT}, {::time(nullptr) - 25 * 3600, 0}};
  for (const auto& entry : std::filesystem::directory_iterator(root + "/" + LogFolder(kPath))) {
    ::utimensat(AT_FDCWD, entry.path().c_str(), times, 0);
  }
}

Result<double> BarePutMillis(ObjectStore* store, int number) {
  const auto content = arrow::Buffer::FromString(std::string(kEntryBytes, 'x'));
  const auto start = BootClock::now();
  ARROW_RETURN_NOT_OK(store->PutIfAbsent("bare/" + std::to_string(number), *content).status());
  return MillisSince(start);
}

struct Appends {
  std::vector<double> millis;       // For each commit.
  std::vector<double> bare_millis;  // For a bare put after each of the first and the last hundred.
  int64_t checkpoint_bytes_at_tenth = 0;
};

Result<Appends> Append(ObjectStore* store, int commits) {
  ARROW_ASSIGN_OR_RAISE(const auto table, Table::OpenOrCreate(store, Spec()));
  Appends appends;
  std::vector<DataFile> small;
  for (int i = 1; i <= commits; ++i) {
    Changes changes;
    changes.written_since = BootClock::now();
    for (const char* region : {"ASIA", "EU", "US"}) changes.adds.push_back(File(region, 300));
    changes.txns["shopstream/topic/0"] = i;
    small.insert(small.end(), changes.adds.begin(), changes.adds.end());
    const auto start = BootClock::now();
    ARROW_RETURN_NOT_OK(Commit(table.get(), changes));
    appends.millis.push_back(MillisSince(start));
    if (i <= kEnds || i > commits - kEnds) {
      ARROW_ASSIGN_OR_RAISE(appends.bare_millis.emplace_back(), BarePutMillis(store, i));
    }
    if (i % kOptimizeEvery == 0) {
      Changes optimize;
      optimize.operation = "OPTIMIZE";
      optimize.data_change = false;
      optimize.written_since = BootClock::now();
      optimize.removes = std::exchange(small, {});
      for (const char* region : {"ASIA", "EU", "US"}) optimize.adds.push_back(File(region, 30000));
      ARROW_RETURN_NOT_OK(Commit(table.get(), optimize));
    }
    if (i == commits / 10) {
      ARROW_ASSIGN_OR_RAISE(const LogSize size, Measure(store));
      appends.checkpoint_bytes_at_tenth = size.newest_checkpoint_bytes;
    }
  }
  return appends;
}

Status Run(const std::string& root, int commits) {
  Config config;
  config.lake.uri = root;
  ARROW_ASSIGN_OR_RAISE(const auto store, OpenObjectStore(config));
  const auto begin = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(const Appends appends, Append(store.get(), commits));
  const double seconds = MillisSince(begin) / 1000;
  const auto opening = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(auto table, Table::Open(store.get(), kPath));
  const double open_ms = MillisSince(opening);
  ARROW_ASSIGN_OR_RAISE(const LogSize before, Measure(store.get()));

  AgeLog(root);
  const auto cleaning = BootClock::now();
  LogCleanUpResult cleaned{.finished = false};
  int64_t deleted = 0;
  while (!cleaned.finished) {
    ARROW_ASSIGN_OR_RAISE(cleaned, CleanUpLog(store.get(), kPath, table->snapshot()->properties(),
                                              WallClockMillis(), {}, [] { return false; }));
    deleted += cleaned.deleted;
  }
  const double clean_ms = MillisSince(cleaning);
  ARROW_ASSIGN_OR_RAISE(const LogSize after, Measure(store.get()));
  const auto reopening = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(table, Table::Open(store.get(), kPath));

  const std::vector<double>& millis = appends.millis;
  const std::vector<double> first(millis.begin(), millis.begin() + kEnds);
  const std::vector<double> last(millis.end() - kEnds, millis.end());
  const std::vector<double>& bare = appends.bare_millis;
  const std::vector<double> first_bare(bare.begin(), bare.begin() + kEnds);
  const std::vector<double> last_bare(bare.end() - kEnds, bare.end());
  std::cout << json({{"commits", commits},
                     {"seconds", seconds},
                     {"first_p50_ms", Percentile(first, 0.5)},
                     {"first_p99_ms", Percentile(first, 0.99)},
                     {"last_p50_ms", Percentile(last, 0.5)},
                     {"last_p99_ms", Percentile(last, 0.99)},
                     {"first_bare_ms", Percentile(first_bare, 0.5)},
                     {"last_bare_ms", Percentile(last_bare, 0.5)},
                     {"open_ms", open_ms},
                     {"checkpoint_bytes_at_tenth", appends.checkpoint_bytes_at_tenth},
                     {"checkpoint_bytes", before.newest_checkpoint_bytes},
                     {"live_files", table->snapshot()->file_count()},
                     {"log_objects", before.objects},
                     {"cleaned_objects", deleted},
                     {"clean_ms", clean_ms},
                     {"log_objects_cleaned", after.objects},
                     {"reopen_ms", MillisSince(reopening)}})
                   .dump()
            << "\n";
  return Status::OK();
}

}  // namespace
}  // namespace shopstream::lake

int main(int argc, char** argv) {
  const int commits = argc > 2 ? std::atoi(argv[2]) : 10'000;
  if (argc < 2 || commits < 1000) {
    std::cerr << "usage: log_bench LAKE [COMMITS, 1000 or more]\n";
    return 2;
  }
  if (!shopstream::StartLogging({.level = "error"}).ok()) return 1;
  const auto status = shopstream::lake::Run(argv[1], commits);
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
