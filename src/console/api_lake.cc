#include "console/api_lake.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_or_null.h"
#include "console/column_mask.h"
#include "console/lake_tables.h"
#include "console/masking.h"
#include "console/query_number.h"
#include "ingest/table_facts.h"
#include "lake/delta/table_history.h"
#include "lake/upkeep/reports.h"
#include "lake/upkeep/table_health.h"
#include "tables/progress.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMostRows = 500;  // Of a page.
constexpr size_t kMostPoints = 300;
// Further entries that show where the ranges of a page's last commits begin.
constexpr int64_t kMoreEntries = 20;
constexpr int64_t kNoVersion = std::numeric_limits<int64_t>::max();

ordered_json AdviceJson(const std::optional<lake::TableAdvice>& advice) {
  if (!advice) return nullptr;
  return {{"reason", advice->reason}, {"command", advice->command}};
}

ordered_json SampleJson(const std::string& path, const observe::Seen<observe::TableSample>& seen) {
  if (!seen.known()) return {{"table", path}, {"unknown", seen.unknown}};
  const observe::TableSample& table = *seen.value;
  ordered_json out = {{"table", path}, {"exists", table.exists}, {"seen_ms", seen.at_ms}};
  if (!table.exists) return out;
  out.update(
      {{"version", table.version},
       {"rows", OrNull(table.rows)},
       {"files", table.files},
       {"bytes", table.bytes},
       {"small_files", table.small_files},
       {"committed_ms", OrNull(table.committed_ms)},
       {"complete_through_ms", OrNull(table.complete_through_ms)},
       {"advice", AdviceJson(lake::AdviseCompaction(path, table.files, table.small_files, {}))}});
  return out;
}

// The offsets that a commit brought: behind what the table had before.
ordered_json OffsetsJson(const std::vector<lake::VersionRecord>& records, size_t at) {
  ordered_json offsets = ordered_json::array();
  for (const auto& [app_id, end] : records[at].txns) {
    const auto key = tables::ParseProgressAppId(app_id);
    if (!key) continue;
    ordered_json begin;
    for (size_t older = at + 1; older < records.size(); ++older) {
      const auto before = records[older].txns.find(app_id);
      if (before == records[older].txns.end()) continue;
      begin = before->second;
      break;
    }
    if (begin == end) continue;
    offsets.push_back({{"topic_id", key->topic_id},
                       {"partition", key->partition},
                       {"begin", std::move(begin)},
                       {"end", end}});
  }
  return offsets;
}

ordered_json CommitJson(const std::vector<lake::VersionRecord>& records, size_t at) {
  const lake::VersionRecord& record = records[at];
  const auto pass = record.txns.find("shopstream-refine");
  return {{"version", record.version},
          {"time_ms", record.timestamp_ms},
          {"operation", record.operation},
          {"engine", record.engine},
          {"files_added", record.files_added},
          {"files_removed", record.files_removed},
          {"rows_added", record.rows_added},
          {"bytes_added", record.bytes_added},
          {"data_change", record.data_change},
          {"pass", pass == record.txns.end() ? ordered_json() : ordered_json(pass->second)},
          {"offsets", OffsetsJson(records, at)}};
}

// A live file without its statistics, which are most of what there is to copy.
struct FileRow {
  std::string path;
  int64_t rows = 0, bytes = 0, modified_ms = 0;
};

using Before = bool (*)(const FileRow&, const FileRow&);

template <auto Member>
bool IsLess(const FileRow& a, const FileRow& b) {
  return std::tie(a.*Member, a.path) < std::tie(b.*Member, b.path);
}

Result<Before> OrderOf(const std::string& column) {
  const std::map<std::string, Before> orders = {{"", IsLess<&FileRow::path>},
                                                {"path", IsLess<&FileRow::path>},
                                                {"rows", IsLess<&FileRow::rows>},
                                                {"bytes", IsLess<&FileRow::bytes>},
                                                {"modified", IsLess<&FileRow::modified_ms>}};
  const auto found = orders.find(column);
  if (found != orders.end()) return found->second;
  return Status::Invalid("sort=", column, ": files are sorted by path, rows, bytes or modified");
}

class LakeApi {
 public:
  explicit LakeApi(const World& world)
      : world_(world), tables_(world.tables), masking_(world.masking) {}

  Result<ordered_json> List(const ApiRequest&) {
    const observe::Sample sample = world_.sampler.Latest();
    ordered_json list = ordered_json::array();
    bool any = false;
    for (const auto& [path, seen] : sample.tables) {
      list.push_back(SampleJson(path, seen));
      any = any || !seen.known() || seen.value->exists;
    }
    ordered_json answer = {{"exists", any}, {"tables", std::move(list)}};
    if (!sample.tables_unknown.empty()) answer["tables_unknown"] = sample.tables_unknown;
    if (!any) answer["remedy"] = "shopstream ingest";
    return answer;
  }

  Result<ordered_json> Describe(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const auto table, Open(request));
    ARROW_ASSIGN_OR_RAISE(const auto facts, ingest::ReadTableFacts(table.store.get(), world_.config,
                                                                   table.path, *table.snapshot));
    ordered_json answer = ToJson(facts);
    answer["last_commit_ms"] = OrNull(facts.committed_ms);
    answer["complete_through_ms"] = OrNull(facts.complete_through_ms);
    const ColumnMask mask(masking_, *table.snapshot->schema());
    for (auto& column : answer["columns"]) {
      column["masked"] = mask.hides(column["column"].get<std::string>());
    }
    answer["properties"] = table.snapshot->properties();
    ARROW_ASSIGN_OR_RAISE(const auto health, lake::ReadHealth(table.store.get(), table.path,
                                                              *table.snapshot, WallClockMillis()));
    answer["health"] = ToJson(health);
    answer["partitions"] = Partitions(*table.snapshot);
    return answer;
  }

  Result<ordered_json> Commits(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const auto table, Open(request));
    ARROW_ASSIGN_OR_RAISE(const int64_t before,
                          QueryNumber(request, "before", kNoVersion, 0, kNoVersion));
    ARROW_ASSIGN_OR_RAISE(const int64_t limit, QueryNumber(request, "limit", 50, 1, kMostRows));
    ARROW_ASSIGN_OR_RAISE(const auto records, lake::ReadHistory(table.store.get(), table.path,
                                                                limit + kMoreEntries, -1, before));
    const size_t shown = std::min(records.size(), static_cast<size_t>(limit));
    ordered_json commits = ordered_json::array();
    for (size_t i = 0; i < shown; ++i) commits.push_back(CommitJson(records, i));
    const bool more = shown < records.size();
    return ordered_json{
        {"table", table.path},
        {"version", table.snapshot->version()},
        {"commits", std::move(commits)},
        {"next_before", more ? ordered_json(records[shown - 1].version) : ordered_json()}};
  }

  Result<ordered_json> Files(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const auto table, Open(request));
    ARROW_ASSIGN_OR_RAISE(const Before before, OrderOf(request.Query("sort")));
    ARROW_ASSIGN_OR_RAISE(const int64_t limit, QueryNumber(request, "limit", 100, 1, kMostRows));
    ARROW_ASSIGN_OR_RAISE(const int64_t skip, QueryNumber(request, "skip", 0, 0, kNoVersion));
    const bool descending = request.Query("order") == "desc";
    const std::string filter = request.Query("filter");
    const ColumnMask mask(masking_, *table.snapshot->schema());
    std::vector<FileRow> rows;
    lake::FileTotals totals;
    table.snapshot->VisitFiles([&](const DataFile& file) {
      std::string shown = masking_.active() ? mask.HideIn(file.path) : file.path;
      if (shown.find(filter) == std::string::npos) return;
      lake::Count(file, &totals);
      rows.push_back({std::move(shown), file.rows, file.size_bytes, file.modified_ms});
    });
    const auto begin = static_cast<size_t>(std::min<int64_t>(skip, std::ssize(rows)));
    const size_t end = std::min(rows.size(), begin + static_cast<size_t>(limit));
    std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(end), rows.end(),
                      [&](const FileRow& a, const FileRow& b) {
                        return descending ? before(b, a) : before(a, b);
                      });
    ordered_json files = ordered_json::array();
    for (size_t i = begin; i < end; ++i) {
      files.push_back({{"path", rows[i].path},
                       {"rows", rows[i].rows < 0 ? ordered_json() : ordered_json(rows[i].rows)},
                       {"bytes", rows[i].bytes},
                       {"small", rows[i].bytes < lake::SmallFileBytes()},
                       {"modified_ms", rows[i].modified_ms}});
    }
    return ordered_json{{"table", table.path},     {"version", table.snapshot->version()},
                        {"matching", rows.size()}, {"bytes", totals.bytes},
                        {"skip", begin},           {"files", std::move(files)}};
  }

  Result<ordered_json> History(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const auto all, tables_.Sizes(request.http.captures.at(0)));
    ordered_json points = ordered_json::array();
    const size_t step = all.size() / kMostPoints + 1;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i % step != 0 && i + 1 != all.size()) continue;
      points.push_back({{"version", all[i].version},
                        {"time_ms", all[i].time_ms},
                        {"files", all[i].files},
                        {"bytes", all[i].bytes},
                        {"rows", all[i].rows}});
    }
    return ordered_json{{"table", request.http.captures.at(0)}, {"points", std::move(points)}};
  }

 private:
  struct OpenedTable {
    std::string path;
    std::shared_ptr<lake::ObjectStore> store;
    std::shared_ptr<const lake::Snapshot> snapshot;
  };

  Result<OpenedTable> Open(const ApiRequest& request) {
    OpenedTable table{.path = request.http.captures.at(0), .store = {}, .snapshot = {}};
    ARROW_ASSIGN_OR_RAISE(table.store, tables_.Store());
    ARROW_ASSIGN_OR_RAISE(table.snapshot, tables_.Existing(table.path));
    return table;
  }

  // A path has the values of the partition columns.
  bool HidesPath(const lake::Snapshot& snapshot) const {
    const ColumnMask mask(masking_, *snapshot.schema());
    return std::ranges::any_of(snapshot.partition_columns(),
                               [&](const std::string& name) { return mask.hides(name); });
  }

  // The partitions with the most bytes.
  ordered_json Partitions(const lake::Snapshot& snapshot) const {
    if (HidesPath(snapshot)) return ordered_json::array();
    std::map<PartitionValues, lake::FileTotals> by_value;
    snapshot.VisitFiles(
        [&](const DataFile& file) { lake::Count(file, &by_value[file.partition_values]); });
    std::vector<const std::pair<const PartitionValues, lake::FileTotals>*> sorted;
    for (const auto& one : by_value) sorted.push_back(&one);
    std::ranges::sort(sorted, [](const auto* a, const auto* b) {
      return std::tie(b->second.bytes, a->first) < std::tie(a->second.bytes, b->first);
    });
    ordered_json partitions = ordered_json::array();
    for (size_t i = 0; i < sorted.size() && i < static_cast<size_t>(kMostRows); ++i) {
      ordered_json values = ordered_json::object();
      for (const auto& [name, value] : sorted[i]->first) values[name] = OrNull(value);
      const lake::FileTotals& totals = sorted[i]->second;
      partitions.push_back({{"values", std::move(values)},
                            {"files", totals.files},
                            {"small_files", totals.small_files},
                            {"rows", totals.rows},
                            {"bytes", totals.bytes}});
    }
    return {{"count", by_value.size()}, {"largest", std::move(partitions)}};
  }

  const World& world_;
  LakeTables& tables_;
  const Masking& masking_;
};

}  // namespace

std::vector<ApiRoute> LakeRoutes(const World& world) {
  const auto api = std::make_shared<LakeApi>(world);
  const auto read = [&api](Result<ordered_json> (LakeApi::*method)(const ApiRequest&)) {
    return Read([api, method](const ApiRequest& request) { return (api.get()->*method)(request); });
  };
  return {{"GET", "/api/tables",
           "All tables as the last sample saw them, each with the recommended action",
           read(&LakeApi::List)},
          {"GET", "/api/tables/*", "A table's columns, properties, partitions and health",
           read(&LakeApi::Describe)},
          {"GET", "/api/tables/*/commits",
           "What each commit brought, the newest first; before, limit", read(&LakeApi::Commits)},
          {"GET", "/api/tables/*/files",
           "Live files; sort (path, rows, bytes, modified), order, filter, skip, limit",
           read(&LakeApi::Files)},
          {"GET", "/api/tables/*/history", "Files, bytes and rows over time, from the log",
           read(&LakeApi::History)}};
}

}  // namespace shopstream::console
