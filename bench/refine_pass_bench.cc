// What a pass of refine costs as the tables grow, and with the rows of Gold that it rewrites.
// Prints a JSON array, an object for each part of each run.
//
//   refine_pass_bench FOLDER [PASSES] [ROWS_PER_PASS]
//
//   one_date       all purchases are of one day: 1,000 passes
//   dates_in_turn  400 days, each pass in one of them
//   dates_at_once  400 days, each pass in all of them: 20 passes
//
// CPU and bytes are the whole process's: passes, their look at the tables, checkpoints. Bytes are
// those of read and write calls. Gold rows are those of the files that the passes committed.

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/json.h"
#include "base/log.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "lake/store/object_store.h"
#include "model/calendar.h"
#include "refine/columns.h"
#include "refine/refine_loop.h"
#include "refine/refine_stats.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::refine {
namespace {

using nlohmann::json;

constexpr int32_t kFirstDay = 20'385;  // 2025-10-24
constexpr char kTopicOfBench[] = "bench";
constexpr const char* kRegions[] = {"ASIA", "EU", "US"};
constexpr const char* kCurrencies[] = {"JPY", "EUR", "USD"};
constexpr int64_t kUsers = 2'000, kProducts = 600;
constexpr int64_t kRowsPerCommit = 100'000;

enum class Spread { kOneDate, kInTurn, kAtOnce };

struct Run {
  std::string name;
  Spread spread;
  int days;
  int64_t passes, rows_per_pass;
};

// --- Bronze --------------------------------------------------------------------------------------

// Of a data file: without region and date.
arrow::FieldVector StoredColumns() {
  arrow::FieldVector fields = refine::PurchaseBronzeSchema()->fields();
  fields.resize(fields.size() - 2);
  return fields;
}

uint64_t Mixed(int64_t number) {
  uint64_t bits = static_cast<uint64_t>(number) * 0x9E3779B97F4A7C15ULL + 1;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
  return bits ^ (bits >> 31);
}

int32_t DayOf(const Run& run, int64_t offset) {
  const auto days = static_cast<int64_t>(run.days);
  if (run.spread == Spread::kOneDate) return kFirstDay;
  const int64_t day = run.spread == Spread::kInTurn ? offset / run.rows_per_pass : offset;
  return kFirstDay + static_cast<int32_t>(day % days);
}

// One value of a row, by the column's name.
Status Append(const Run& run, const std::string& column, int64_t offset,
              arrow::ArrayBuilder* builder) {
  const uint64_t bits = Mixed(offset);
  const auto text = [&](const std::string& value) {
    return static_cast<arrow::StringBuilder*>(builder)->Append(value);
  };
  const int64_t time_us =
      (int64_t{DayOf(run, offset)} * kMillisPerDay + static_cast<int64_t>(bits % 86'400'000)) *
      kMicrosPerMilli;
  if (column == "event_id") return text("e" + std::to_string(offset));
  if (column == "product_id") return text("P" + std::to_string(bits / 7 % kProducts));
  if (column == "product_name") return text("Product " + std::to_string(bits / 7 % kProducts));
  if (column == "currency") return text(kCurrencies[bits % 3]);
  if (column == tables::kTopic || column == tables::kTopicId) return text(kTopicOfBench);
  if (column == "amount") {
    return static_cast<arrow::DoubleBuilder*>(builder)->Append(
        static_cast<double>(bits % 100'000 + 1) / 100);
  }
  if (column == tables::kPartition || column == tables::kSchemaId) {
    return static_cast<arrow::Int32Builder*>(builder)->Append(0);
  }
  if (builder->type()->id() == arrow::Type::TIMESTAMP) {
    const int64_t later = column == "timestamp" ? 0 : 1'000'000;
    return static_cast<arrow::TimestampBuilder*>(builder)->Append(time_us + later);
  }
  const int64_t number = column == "user_id"    ? static_cast<int64_t>(bits / 11 % kUsers)
                         : column == "quantity" ? static_cast<int64_t>(bits % 5 + 1)
                                                : offset;
  return static_cast<arrow::Int64Builder*>(builder)->Append(number);
}

Result<std::shared_ptr<arrow::RecordBatch>> RowsOf(const Run& run, int64_t begin, int64_t end) {
  const auto fields = StoredColumns();
  arrow::ArrayVector columns;
  for (const auto& field : fields) {
    ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(field->type()));
    for (int64_t offset = begin; offset < end; ++offset) {
      ARROW_RETURN_NOT_OK(Append(run, field->name(), offset, builder.get()));
    }
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), builder->Finish());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), end - begin, columns);
}

Status WriteBronze(const Run& run, lake::ObjectStore* store) {
  lake::TableSpec spec;
  spec.path = tables::kBronzePath;
  spec.schema = refine::PurchaseBronzeSchema();
  spec.partition_columns = {"region", tables::kDate};
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::OpenOrCreate(store, spec));
  const int64_t total = run.passes * run.rows_per_pass;
  for (int64_t begin = 0; begin < total; begin += kRowsPerCommit) {
    const int64_t end = std::min(total, begin + kRowsPerCommit);
    ARROW_ASSIGN_OR_RAISE(const auto rows, RowsOf(run, begin, end));
    std::map<PartitionValues, std::vector<int32_t>> positions;
    for (int64_t offset = begin; offset < end; ++offset) {
      positions[{{"region", kRegions[Mixed(offset) % 3]},
                 {tables::kDate, FormatDate(DayOf(run, offset))}}]
          .push_back(static_cast<int32_t>(offset - begin));
    }
    std::vector<lake::PartitionRows> partitions;
    for (const auto& [values, of_partition] : positions)
      partitions.push_back({values, of_partition});
    lake::Changes changes;
    changes.written_since = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(changes.adds,
                          lake::WriteDataFiles(store, table->path(), rows, partitions));
    changes.txns[tables::ProgressAppId(kTopicOfBench, 0)] = end;
    ARROW_RETURN_NOT_OK(
        table->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{60'000}).status());
  }
  return Status::OK();
}

// --- Measuring -----------------------------------------------------------------------------------

struct Cost {
  int64_t passes = 0;
  double cpu_ms = 0;
  int64_t read_bytes = 0, written_bytes = 0;
};

Cost Now(int64_t passes) {
  Cost cost{.passes = passes};
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
    cost.cpu_ms += static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  }
  std::ifstream io("/proc/self/io");
  for (std::string name; io >> name;) {
    int64_t value = 0;
    io >> value;
    if (name == "rchar:") cost.read_bytes = value;
    if (name == "wchar:") cost.written_bytes = value;
  }
  return cost;
}

// The rows that each pass wrote to the Gold tables, by pass.
Result<std::map<int64_t, int64_t>> GoldRows(const Config& config, lake::ObjectStore* store) {
  std::map<int64_t, int64_t> rows;
  ARROW_ASSIGN_OR_RAISE(const auto tables, store->ListFolders(config.refine.gold_folder));
  for (const std::string& name : tables) {
    const std::string path = config.refine.gold_folder + "/" + name;
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store, path));
    for (int64_t version = 1; version <= table->snapshot()->version(); ++version) {
      ARROW_ASSIGN_OR_RAISE(const auto text, store->Get(lake::LogEntryPath(path, version)));
      if (text == nullptr) continue;
      ARROW_ASSIGN_OR_RAISE(const auto entry, lake::ParseLogEntry(std::string_view(*text), path));
      for (const lake::Txn& txn : entry.txns) {
        if (txn.app_id != "shopstream-refine") continue;
        for (const lake::AddFile& add : entry.adds) rows[txn.version] += add.file.rows;
      }
    }
  }
  return rows;
}

json Described(const Run& run, const Cost& from, const Cost& to,
               const std::map<int64_t, int64_t>& gold_rows) {
  const auto passes = static_cast<double>(to.passes - from.passes);
  int64_t rows = 0;
  for (int64_t pass = from.passes + 1; pass <= to.passes; ++pass) {
    const auto found = gold_rows.find(pass);
    if (found != gold_rows.end()) rows += found->second;
  }
  const double cpu_ms = to.cpu_ms - from.cpu_ms;
  return {
      {"run", run.name},
      {"first_pass", from.passes + 1},
      {"last_pass", to.passes},
      {"rows_per_pass", run.rows_per_pass},
      {"cpu_ms_per_pass", cpu_ms / passes},
      {"kib_read_per_pass", static_cast<double>(to.read_bytes - from.read_bytes) / passes / 1024},
      {"kib_written_per_pass",
       static_cast<double>(to.written_bytes - from.written_bytes) / passes / 1024},
      {"gold_rows_per_pass", static_cast<double>(rows) / passes},
      {"cpu_us_per_gold_row", rows == 0 ? 0 : cpu_ms * 1000 / static_cast<double>(rows)}};
}

Status Measure(const Run& run, const std::string& folder, json* out) {
  Config config;
  config.lake.uri = folder + "/" + run.name;
  config.refine.state_folder = folder + "/" + run.name + "-state";
  config.refine.pass_rows = run.rows_per_pass;
  config.refine.threads = 1;
  config.refine.maintenance = false;
  std::filesystem::remove_all(config.lake.uri);
  std::filesystem::remove_all(config.refine.state_folder);
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(config));
  ARROW_RETURN_NOT_OK(WriteBronze(run, store.get()));

  RefineStats stats;
  std::vector<Cost> costs;  // After each pass, the first before any.
  const auto on_tick = [&] {
    if (costs.empty() || stats.passes() > costs.back().passes) costs.push_back(Now(stats.passes()));
  };
  ARROW_ASSIGN_OR_RAISE(const RefineEnd end,
                        RunRefine(
                            config, {}, &stats, [] { return false; }, on_tick));
  if (end.halt) return Status::Invalid("the rules halted the bench");
  on_tick();
  ARROW_ASSIGN_OR_RAISE(const auto gold_rows, GoldRows(config, store.get()));
  // The first pass also builds and warms everything up.
  const size_t last = costs.size() - 1;
  const size_t part = std::min<size_t>(10, last / 2);
  out->push_back(Described(run, costs[1], costs[1 + part], gold_rows));
  out->push_back(Described(run, costs[last - part], costs[last], gold_rows));
  std::filesystem::remove_all(config.lake.uri);
  return Status::OK();
}

}  // namespace
}  // namespace shopstream::refine

int main(int argc, char** argv) {
  using shopstream::refine::Spread;
  if (argc < 2) {
    std::cerr << "usage: refine_pass_bench FOLDER [PASSES] [ROWS_PER_PASS]\n";
    return 2;
  }
  const int64_t passes = argc > 2 ? std::stoll(argv[2]) : 1000;
  const int64_t rows = argc > 3 ? std::stoll(argv[3]) : 2000;
  nlohmann::json out = nlohmann::json::array();
  for (const shopstream::refine::Run& run :
       {shopstream::refine::Run{"one_date", Spread::kOneDate, 1, passes, rows},
        shopstream::refine::Run{"dates_in_turn", Spread::kInTurn, 400, passes, rows},
        shopstream::refine::Run{"dates_at_once", Spread::kAtOnce, 400, 20, rows}}) {
    const auto status = shopstream::refine::Measure(run, argv[1], &out);
    if (!status.ok()) {
      std::cerr << run.name << ": " << status.message() << '\n';
      return 1;
    }
  }
  std::cout << shopstream::DumpJson(out, 2) << '\n';
  return 0;
}
