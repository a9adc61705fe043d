#include "lake/upkeep/table_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_at.h"
#include "lake/delta/table_state.h"

namespace shopstream::lake {
namespace {

// Maintenance leaves a few dozen small files in a partition that still receives rows.
constexpr int64_t kManySmallFiles = 100;
// Without a count by partition: so many small files, and most of the files.
constexpr int64_t kManyFiles = 1'000;
constexpr int64_t kManyDeadBytes = 1 << 30;
constexpr int64_t kLogRetentionMs = int64_t{30} * 24 * 3600 * 1000;  // Delta's default.

int64_t MostSmallFiles(const Snapshot& snapshot) {
  std::map<PartitionValues, int64_t> files;
  int64_t most = 0;
  snapshot.VisitFiles([&](const DataFile& file) {
    if (file.size_bytes < SmallFileBytes()) most = std::max(most, ++files[file.partition_values]);
  });
  return most;
}

FileTotals TotalOf(const Snapshot& snapshot) {
  FileTotals totals;
  snapshot.VisitFiles([&](const DataFile& file) { Count(file, &totals); });
  return totals;
}

Result<int64_t> ExpiredVersions(ObjectStore* store, const std::string& table,
                                const Snapshot& snapshot, const LogSpan& span, int64_t now_ms) {
  const int64_t kept_ms =
      IntervalMillis(snapshot.properties(), "delta.logRetentionDuration", kLogRetentionMs);
  const auto version = VersionAt(store, table, now_ms - kept_ms);
  if (version.ok()) return *version - span.oldest;
  const ErrorKind kind = KindOf(version.status());
  if (kind == ErrorKind::kGone || kind == ErrorKind::kInvalid) return 0;
  return version.status();
}

}  // namespace

std::optional<TableAdvice> AdviseCompaction(const std::string& table, int64_t files,
                                            int64_t small_files,
                                            std::optional<int64_t> most_small_files) {
  const bool many = most_small_files ? *most_small_files >= kManySmallFiles
                                     : small_files >= kManyFiles && 2 * small_files >= files;
  if (!many) return std::nullopt;
  return TableAdvice{.reason = fmt::format("{} of {} are small, so that queries open many files",
                                           FormatCount(small_files), Counted(files, "file")),
                     .command = "shopstream table optimize " + table};
}

Result<TableHealth> ReadHealth(ObjectStore* store, const std::string& table,
                               const Snapshot& snapshot, int64_t now_ms) {
  TableHealth health;
  health.totals = TotalOf(snapshot);
  health.most_small_files = MostSmallFiles(snapshot);
  StateOf(snapshot).ForEachTombstone([&](const RemoveFile& remove) {
    ++health.dead_files;
    health.dead_bytes += remove.size_bytes.value_or(0);
  });
  ARROW_ASSIGN_OR_RAISE(const LogSpan span, ReadLogSpan(store, table));
  health.oldest_version = span.oldest;
  health.newest_version = span.newest;
  ARROW_ASSIGN_OR_RAISE(health.expired_versions,
                        ExpiredVersions(store, table, snapshot, span, now_ms));
  health.advice = AdviseCompaction(table, health.totals.files, health.totals.small_files,
                                   health.most_small_files);
  if (!health.advice && health.dead_bytes >= kManyDeadBytes &&
      health.dead_bytes > health.totals.bytes) {
    health.advice = TableAdvice{
        .reason = fmt::format("{} in storage are no longer part of the table, which has {}",
                              FormatBytes(health.dead_bytes), FormatBytes(health.totals.bytes)),
        .command = "shopstream table vacuum " + table + " --delete"};
  }
  return health;
}

nlohmann::ordered_json ToJson(const TableHealth& health) {
  nlohmann::ordered_json advice;
  if (health.advice) {
    advice = {{"reason", health.advice->reason}, {"command", health.advice->command}};
  }
  return {{"small_files", health.totals.small_files},
          {"small_bytes", health.totals.small_bytes},
          {"most_small_files", health.most_small_files},
          {"dead_files", health.dead_files},
          {"dead_bytes", health.dead_bytes},
          {"oldest_version", health.oldest_version},
          {"newest_version", health.newest_version},
          {"expired_versions", health.expired_versions},
          {"advice", std::move(advice)}};
}

}  // namespace shopstream::lake
