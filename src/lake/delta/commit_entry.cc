#include "lake/delta/commit_entry.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/join.h"
#include "base/json.h"
#include "lake/delta/column_merge.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/retention.h"
#include "lake/delta/statistics_growth.h"
#include "lake/parquet/partition_path.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

constexpr char kEngine[] = "ShopStream";

// The lake's own defaults, stored in each table so that any other writer follows them too.
const std::map<std::string, std::string>& DefaultProperties() {
  static const std::map<std::string, std::string> kDefaults = {
      {"delta.checkpointInterval", std::to_string(kDefaultCheckpointInterval)},
      {"delta.logRetentionDuration", "interval 1 days"},
      {"delta.deletedFileRetentionDuration", "interval 1 hours"}};
  return kDefaults;
}

// A path occurs only once among an entry's adds and removes (Delta protocol, "Delta Log Entries").
Status CheckPaths(const Changes& changes) {
  std::set<std::string_view> paths;
  for (const auto* files : {&changes.adds, &changes.removes, &changes.restates}) {
    for (const DataFile& file : *files) {
      if (file.path.empty() || file.path.starts_with('/')) {
        return Status::Invalid("'", file.path, "' is not a path relative to the table");
      }
      if (!paths.insert(file.path).second) {
        return Status::Invalid("file ", file.path, " occurs twice in one commit");
      }
    }
  }
  return Status::OK();
}

Status CheckPartitionValues(const DataFile& file, const std::vector<std::string>& columns) {
  const bool same = std::equal(
      columns.begin(), columns.end(), file.partition_values.begin(), file.partition_values.end(),
      [](const auto& column, const auto& value) { return column == value.first; });
  if (same) return Status::OK();
  return Status::Invalid("file ", file.path, " does not have a value for each of the columns ", "(",
                         Joined(columns, ", "), "), in this order");
}

json CommitInfo(const Changes& changes, const std::string& id, int64_t read_version) {
  json info = changes.info->is_object() ? *changes.info : json::object();
  info["timestamp"] = WallClockMillis();
  info["operation"] = changes.operation;
  if (!info.contains("operationParameters")) info["operationParameters"] = json::object();
  info["readVersion"] = read_version;
  info["isBlindAppend"] = changes.removes.empty() && changes.restates.empty();
  info["engineInfo"] = kEngine;
  info["txnId"] = id;
  return info;
}

// A commit's effect on the table's columns.
struct Columns {
  std::shared_ptr<arrow::Schema> written;  // Those of the commit's files.
  std::shared_ptr<arrow::Schema> table;    // Those of the table after it.
  std::optional<Metadata> metadata;        // For the entry; none: the table already has all of it.
};

Result<std::shared_ptr<arrow::Schema>> ReplacedColumns(const TableState& base,
                                                       const Changes& changes) {
  if (static_cast<int64_t>(changes.removes.size()) != base.file_count() ||
      !changes.restates.empty()) {
    return Status::Invalid("a commit that replaces the columns removes ", changes.removes.size(),
                           " of ", base.file_count(), " files: the others have the old columns");
  }
  for (const std::string& column : base.partition_columns()) {
    if (changes.growth->columns->GetFieldIndex(column) >= 0) continue;
    return Status::Invalid("the new columns lack ", column, ", by which the table is partitioned");
  }
  return changes.growth->columns;
}

Result<Columns> ColumnsAfter(const TableState& base, const WriterView& writer,
                             const Changes& changes) {
  if (!changes.growth) {
    if (!changes.adds.empty()) ARROW_RETURN_NOT_OK(CheckColumns(*base.schema(), *writer.schema));
    return Columns{writer.schema, base.schema(), std::nullopt};
  }
  const TableGrowth& growth = *changes.growth;
  Columns columns{growth.columns, nullptr, base.metadata()};
  ARROW_ASSIGN_OR_RAISE(columns.table, growth.replaces
                                           ? ReplacedColumns(base, changes)
                                           : MergeColumns(base.schema(), *growth.columns));
  if (columns.table != base.schema()) {
    ARROW_ASSIGN_OR_RAISE(columns.metadata->schema_string, FormatDeltaSchema(*columns.table));
  }
  for (const auto& [key, value] : growth.properties) columns.metadata->configuration[key] = value;
  if (*columns.metadata == base.metadata()) columns.metadata.reset();
  return columns;
}

std::vector<std::string> PathsOf(const std::vector<DataFile>& files) {
  std::vector<std::string> paths;
  for (const DataFile& file : files) paths.push_back(file.path);
  return paths;
}

// False: one of the files is no longer live.
bool Restate(const TableState& base, const Changes& changes, LogEntry* entry) {
  auto live = base.FindFiles(PathsOf(changes.restates));
  for (size_t i = 0; i < live.size(); ++i) {
    if (!live[i]) return false;
    live[i]->file.statistics = changes.restates[i].statistics;
    live[i]->data_change = changes.data_change;
    entry->adds.push_back(*std::move(live[i]));
  }
  return true;
}

// False: one of the files is no longer live.
bool Remove(const TableState& base, const Changes& changes, int64_t now_ms, LogEntry* entry) {
  for (const auto& live : base.FindFiles(PathsOf(changes.removes))) {
    if (!live) return false;
    entry->removes.push_back({live->file.path, live->log_path, now_ms, changes.data_change,
                              live->file.partition_values, live->file.size_bytes});
  }
  return true;
}

}  // namespace

Status CheckPartitioning(const std::vector<std::string>& table,
                         const std::vector<std::string>& expected) {
  if (table == expected) return Status::OK();
  return Status::Invalid("the table is partitioned by (", Joined(table, ", "),
                         "), this writer by (", Joined(expected, ", "), "): use another table");
}

LogEntry FirstEntry(const TableSpec& spec, std::string schema_string) {
  LogEntry entry;
  entry.protocol = Protocol();
  Metadata metadata;
  metadata.id = NewUuid();
  metadata.schema_string = std::move(schema_string);
  metadata.partition_columns = spec.partition_columns;
  metadata.configuration = spec.properties;
  metadata.configuration.insert(DefaultProperties().begin(), DefaultProperties().end());
  metadata.created_ms = WallClockMillis();
  entry.metadata = std::move(metadata);
  entry.commit_info = json{{"timestamp", WallClockMillis()},
                           {"operation", "CREATE TABLE"},
                           {"operationParameters", json::object()},
                           {"isBlindAppend", true},
                           {"engineInfo", kEngine},
                           {"txnId", NewUuid()}};
  return entry;
}

Status CheckChanges(const TableState& base, const WriterView& writer, const Changes& changes) {
  ARROW_RETURN_NOT_OK(CheckPaths(changes));
  if (!changes.adds.empty() && !changes.written_since) {
    return Status::Invalid("the commit does not state when file ", changes.adds[0].path,
                           " was written: a vacuum may have deleted it");
  }
  for (const DataFile& file : changes.adds) {
    ARROW_RETURN_NOT_OK(CheckPartitionValues(file, writer.partition_columns));
  }
  if (!changes.removes.empty() && changes.data_change &&
      MayBeOn(base.properties(), "delta.appendOnly")) {
    return Status::Invalid("the table is append-only (delta.appendOnly=",
                           base.properties().at("delta.appendOnly"), "): it refuses removes");
  }
  return Status::OK();
}

Result<BootClock::time_point> FilesExpire(const TableState& base, const Changes& changes) {
  if (changes.adds.empty() || !changes.written_since) return BootClock::time_point::max();
  ARROW_ASSIGN_OR_RAISE(const Millis max_age, MaxCommitAge(base.properties()));
  return *changes.written_since + max_age;
}

Result<std::optional<LogEntry>> BuildEntry(const TableState& base, const WriterView& writer,
                                           const Changes& changes, const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(Columns columns, ColumnsAfter(base, writer, changes));
  LogEntry entry;
  entry.commit_info = CommitInfo(changes, id, base.version());
  const int64_t now_ms = WallClockMillis();
  for (const auto& [app_id, version] : changes.txns) {
    entry.txns.push_back({app_id, version, now_ms});
  }
  if (!Remove(base, changes, now_ms, &entry)) return std::nullopt;
  for (const DataFile& file : changes.adds) {
    entry.adds.push_back({file, EncodeLogPath(file.path), changes.data_change, ""});
  }
  if (!Restate(base, changes, &entry)) return std::nullopt;
  entry.metadata = std::move(columns.metadata);
  CompleteStatistics(base, *columns.written, *columns.table, &entry);
  return entry;
}

}  // namespace shopstream::lake
