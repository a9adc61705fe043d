// What it costs to read a compacted backlog of Bronze in bounded passes. Prints one JSON object.
//
//   pass_input_bench FOLDER [ROWS]
//
// Two tables of one date, three regions and twelve Kafka partitions: in one, all partitions are at
// similar offsets; in the other, half of them were added later. Both are compacted, as by ingest's
// maintenance. Then passes of 500,000 rows read them, without the help of the log, and one pass
// that takes all as a baseline.

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/number.h"
#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "lake/store/disk_store.h"
#include "lake/upkeep/compaction.h"
#include "refine/pass_input.h"
#include "tables/columns.h"
#include "tables/refine_state.h"

namespace shopstream::refine {
namespace {

using nlohmann::json;

constexpr int kPartitions = 12;
constexpr int64_t kCommitRows = 100'000;
constexpr int64_t kPassRows = 500'000;
constexpr char kTopicIdText[] = "a1TQ8Y3xTxubKzXJj1pkVw";
constexpr int64_t kStartMicros = 1'761'264'000'000'000;  // 2025-10-24

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Columns {
  arrow::StringBuilder ids, products, names, topics;
  arrow::Int32Builder users, quantities, partitions;
  arrow::DoubleBuilder amounts;
  arrow::Int64Builder offsets;
  arrow::TimestampBuilder sent{tables::Instant(), arrow::default_memory_pool()};
};

std::shared_ptr<arrow::Schema> Stored() {
  return arrow::schema(
      {arrow::field("event_id", arrow::utf8()), arrow::field("user_id", arrow::int32()),
       arrow::field("product_id", arrow::utf8()), arrow::field("product_name", arrow::utf8()),
       arrow::field("quantity", arrow::int32()), arrow::field("amount", arrow::float64()),
       arrow::field(tables::kTopicId, arrow::utf8()),
       arrow::field(tables::kPartition, arrow::int32()),
       arrow::field(tables::kOffset, arrow::int64()),
       arrow::field(tables::kTimestamp, tables::Instant())});
}

uint64_t Mixed(uint64_t n) {
  n = (n ^ (n >> 31)) * 0x9e3779b97f4a7c15;
  return n ^ (n >> 29);
}

Status AppendRow(int64_t n, int64_t first_offset, Columns* to) {
  const uint64_t random = Mixed(static_cast<uint64_t>(n) + 1);
  char id[40];
  std::snprintf(id, sizeof id, "%016llx-%016llx", static_cast<unsigned long long>(random),
                static_cast<unsigned long long>(Mixed(random)));
  ARROW_RETURN_NOT_OK(to->ids.Append(id));
  ARROW_RETURN_NOT_OK(to->users.Append(static_cast<int32_t>(random % 50'000)));
  const std::string product = std::to_string(1000 + random % 400);
  ARROW_RETURN_NOT_OK(to->products.Append("P" + product));
  ARROW_RETURN_NOT_OK(to->names.Append("Wireless Headphones " + product));
  ARROW_RETURN_NOT_OK(to->quantities.Append(static_cast<int32_t>(1 + random % 4)));
  ARROW_RETURN_NOT_OK(to->amounts.Append(static_cast<double>(100 + random % 50'000) / 100));
  ARROW_RETURN_NOT_OK(to->topics.Append(kTopicIdText));
  ARROW_RETURN_NOT_OK(to->partitions.Append(static_cast<int32_t>(n % kPartitions)));
  ARROW_RETURN_NOT_OK(to->offsets.Append(first_offset + n / kPartitions));
  return to->sent.Append(kStartMicros + n * 1000);
}

Result<std::shared_ptr<arrow::RecordBatch>> Finish(Columns* from) {
  arrow::ArrayVector columns;
  for (arrow::ArrayBuilder* builder : std::initializer_list<arrow::ArrayBuilder*>{
           &from->ids, &from->users, &from->products, &from->names, &from->quantities,
           &from->amounts, &from->topics, &from->partitions, &from->offsets, &from->sent}) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), builder->Finish());
  }
  const int64_t rows = columns.front()->length();
  return arrow::RecordBatch::Make(Stored(), rows, std::move(columns));
}

// `later`: by how much the first half of the partitions is ahead.
Result<std::unique_ptr<lake::Table>> MakeBronze(lake::ObjectStore* store, const std::string& path,
                                                int64_t rows, int64_t later) {
  lake::TableSpec spec;
  spec.path = path;
  auto fields = Stored()->fields();
  fields.push_back(arrow::field("region", arrow::utf8()));
  fields.push_back(arrow::field("date", arrow::date32()));
  spec.schema = arrow::schema(fields);
  spec.partition_columns = {"region", "date"};
  ARROW_ASSIGN_OR_RAISE(auto table, lake::Table::OpenOrCreate(store, spec));
  for (int64_t begin = 0; begin < rows; begin += kCommitRows) {
    const int64_t end = std::min(begin + kCommitRows, rows);
    Columns regions[3];
    for (int64_t n = begin; n < end; ++n) {
      const int64_t first = n % kPartitions < kPartitions / 2 ? later : 0;
      ARROW_RETURN_NOT_OK(AppendRow(n, first, &regions[Mixed(static_cast<uint64_t>(n)) % 3]));
    }
    lake::Changes changes;
    changes.written_since = BootClock::now();
    for (int region = 0; region < 3; ++region) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, Finish(&regions[region]));
      const PartitionValues partition = {{"region", "R" + std::to_string(region)},
                                         {"date", "2025-10-24"}};
      ARROW_ASSIGN_OR_RAISE(changes.adds.emplace_back(),
                            lake::WriteDataFile(store, path, partition, batch));
    }
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      const int64_t first = partition < kPartitions / 2 ? later : 0;
      changes.txns[tables::ProgressAppId(kTopicIdText, partition)] =
          first + (end + kPartitions - 1 - partition) / kPartitions;
    }
    ARROW_RETURN_NOT_OK(
        table->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{20'000})
            .status());
  }
  ARROW_RETURN_NOT_OK(lake::Compact(table.get(), {}).status());
  return table;
}

// Reads the whole backlog in passes.
Result<json> ReadBacklog(lake::Table* bronze, int64_t later, int64_t pass_rows) {
  tables::RefineStanding standing;
  if (later > 0) {
    for (int32_t partition = 0; partition < kPartitions / 2; ++partition) {
      standing.ends[{kTopicIdText, partition}] = later;
    }
  }
  InputStats stats;
  int64_t rows = 0, passes = 0;
  const double cpu = CpuSeconds();
  while (true) {
    ARROW_ASSIGN_OR_RAISE(PassPlan plan, PlanPass(standing, *bronze->snapshot(), pass_rows));
    if (plan.empty()) break;
    ARROW_ASSIGN_OR_RAISE(const auto read, ReadPassRows(bronze, plan, {}, &stats));
    rows += read->rows->num_rows();
    ++passes;
    standing = StandingAfter(standing, plan);
  }
  return json{{"passes", passes},
              {"rows", rows},
              {"rowsReadPerRow", static_cast<double>(stats.rows_read) / static_cast<double>(rows)},
              {"bytesRead", stats.bytes_read},
              {"cpuMicrosPerRow", 1e6 * (CpuSeconds() - cpu) / static_cast<double>(rows)}};
}

Status Run(const std::string& root, int64_t rows) {
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root);
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::DiskStore::Open(root, root));
  json results = json::object();
  for (const auto& [name, later] : {std::pair<std::string, int64_t>("even", 0),
                                    {"half of the partitions added later", 50'000'000}}) {
    const std::string path = later == 0 ? "even" : "uneven";
    ARROW_ASSIGN_OR_RAISE(const auto table, MakeBronze(store.get(), path, rows, later));
    for (const int64_t pass_rows : {rows, kPassRows, kPassRows / 10}) {
      ARROW_ASSIGN_OR_RAISE(auto result, ReadBacklog(table.get(), later, pass_rows));
      result["files"] = table->snapshot()->file_count();
      results[name]["passes of " + std::to_string(pass_rows)] = std::move(result);
    }
  }
  std::cout << results.dump(2) << "\n";
  std::filesystem::remove_all(root);
  return Status::OK();
}

}  // namespace
}  // namespace shopstream::refine

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: pass_input_bench FOLDER [ROWS]\n";
    return 2;
  }
  const int64_t rows =
      argc < 3 ? 3'000'000 : shopstream::ParseWhole<int64_t>(argv[2]).value_or(3'000'000);
  const auto status = shopstream::refine::Run(argv[1], rows);
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
