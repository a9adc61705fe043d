#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lake/store/object_store.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/repair.h"
#include "lake/upkeep/vacuum.h"
#include "lake/upkeep/verify.h"
#include "model/data_file.h"

// The results of a table's upkeep, as values and as JSON.
namespace shopstream::lake {

// Sizes of a set of files.
struct FileTotals {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t without_rows = 0;  // Files whose writer did not record their number of rows.
  int64_t small_files = 0;   // Small enough for compaction to merge.
  int64_t small_bytes = 0;
};
FileTotals Total(const std::vector<DataFile>& files);
void Count(const DataFile& file, FileTotals* totals);
int64_t SmallFileBytes();  // Files below this size are small.

struct CompactionReport {
  CompactionResult result;
  int64_t files_before = 0, files_after = 0;  // Of the whole table.
  double seconds = 0;
};
nlohmann::json ToJson(const CompactionReport& report);

struct VacuumReport {
  std::string table;
  bool deleted = false;  // False: a dry run.
  VacuumResult result;
  std::vector<ObjectEntry> listed;  // The files; at most as many as the caller keeps.
};
nlohmann::ordered_json ToJson(const VacuumReport& report);

struct RepairReport {
  struct Listed {
    std::string path;
    std::string needs;
  };
  std::string table;
  bool repaired = false;  // False: a dry run.
  RepairResult result;
  std::vector<Listed> listed;  // The files; at most as many as the caller keeps.
};
nlohmann::ordered_json ToJson(const RepairReport& report);

struct VerifiedTable {
  std::string table;
  bool deep = false;
  VerifyReport result;
};
nlohmann::ordered_json ToJson(const VerifiedTable& report);

}  // namespace shopstream::lake
