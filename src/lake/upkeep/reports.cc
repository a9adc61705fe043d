#include "lake/upkeep/reports.h"

#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "lake/upkeep/compaction_plan.h"

namespace shopstream::lake {

using nlohmann::ordered_json;

int64_t SmallFileBytes() { return CompactionPlanOptions{}.small_bytes; }

FileTotals Total(const std::vector<DataFile>& files) {
  FileTotals totals;
  for (const DataFile& file : files) Count(file, &totals);
  return totals;
}

void Count(const DataFile& file, FileTotals* totals) {
  ++totals->files;
  totals->bytes += file.size_bytes;
  totals->rows += std::max<int64_t>(file.rows, 0);
  totals->without_rows += file.rows < 0;
  if (file.size_bytes >= SmallFileBytes()) return;
  ++totals->small_files;
  totals->small_bytes += file.size_bytes;
}

nlohmann::json ToJson(const CompactionReport& report) {
  const CompactionResult& merged = report.result;
  return {{"files_removed", merged.files_removed},
          {"files_added", merged.files_added},
          {"files_before", report.files_before},
          {"files_after", report.files_after},
          {"bytes_read", merged.bytes_removed},
          {"bytes_written", merged.bytes_added},
          {"rows", merged.rows},
          {"commits", merged.commits},
          {"conflicts", merged.conflicts},
          {"peak_memory_bytes", merged.peak_memory_bytes},
          {"seconds", report.seconds},
          {"stopped", merged.stopped}};
}

ordered_json ToJson(const VacuumReport& report) {
  ordered_json paths = ordered_json::array();
  for (const ObjectEntry& file : report.listed) {
    paths.push_back({{"path", Printable(file.path)},
                     {"bytes", file.size_bytes},
                     {"modified", FormatTimestamp(file.modified_ms)}});
  }
  return {{"table", report.table},
          {"deleted", report.deleted},
          {"files", report.result.files},
          {"bytes", report.result.bytes},
          {"files_seen", report.result.files_seen},
          {"uploads_given_up", report.result.uploads_given_up},
          {"finished", report.result.finished},
          {"paths", std::move(paths)}};
}

ordered_json ToJson(const RepairReport& report) {
  ordered_json needs = ordered_json::array();
  for (const RepairReport::Listed& file : report.listed) {
    needs.push_back({{"path", Printable(file.path)}, {"needs", file.needs}});
  }
  const RepairResult& result = report.result;
  return {{"table", report.table},
          {"repaired", report.repaired},
          {"files", result.repaired.files},
          {"paths", result.repaired.paths},
          {"partitions", result.repaired.partitions},
          {"statistics", result.repaired.statistics},
          {"footers", result.repaired.footers},
          {"files_seen", result.files_seen},
          {"files_written", result.files_written},
          {"bytes_written", result.bytes_written},
          {"commits", result.commits},
          {"conflicts", result.conflicts},
          {"finished", result.finished},
          {"needs", std::move(needs)}};
}

ordered_json ToJson(const VerifiedTable& report) {
  ordered_json differences = ordered_json::array();
  for (const VerifyFinding& found : report.result.findings) {
    differences.push_back(
        {{"path", Printable(found.path)}, {"difference", Printable(found.reason)}});
  }
  const VerifyReport& result = report.result;
  return {{"table", report.table},
          {"version", result.version},
          {"clean", result.clean() && result.finished},
          {"deep", report.deep},
          {"finished", result.finished},
          {"files", result.files},
          {"rows", result.rows},
          {"bytes", result.bytes},
          {"orphan_files", result.orphan_files},
          {"needs_repair", result.repairs.files},
          {"orphan_bytes", result.orphan_bytes},
          {"log_entries", result.log_entries},
          {"checkpoints", result.checkpoints},
          {"checkpoints_compared", result.checkpoints_compared},
          {"difference_count", result.finding_count},
          {"differences", std::move(differences)}};
}

}  // namespace shopstream::lake
