#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "console/daily_balance.h"
#include "console/reject_reasons.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "observe/table_look.h"
#include "refine/rule_book.h"

namespace shopstream::console {

// What the quality page shows, of one complete pass.
struct QualityReport {
  bool has_bronze = false;
  bool is_refined = false;  // There are Silver and rejects.
  int64_t pass = 0;         // 0: none is complete yet.
  std::optional<int64_t> complete_through_ms;
  std::map<std::string, int64_t> versions;  // By path: what the numbers are of.
  std::optional<int64_t> decided_version;   // Of Bronze; see BalanceInput.
  std::vector<DayBalance> days;
  std::map<std::string, std::map<std::string, int64_t>> reasons;  // By date and single reason.
  int64_t rejects_files = 0, counted_files = 0;                   // Of the reasons; all in the end.
  int64_t refined_rows = 0;                                       // Silver and rejects.

  std::shared_ptr<const refine::RuleBook> rules;  // Null: see `rules_unknown`.
  std::string rules_unknown;
  // The rules of the last pass, and the first pass with them; nothing: there was no pass.
  std::string rules_of_pass;
  std::optional<int64_t> rules_since;
  bool other_rules = false;  // The files have others than the last pass used.
};

// Looks at what became of Bronze's rows. All numbers come from the logs of the tables, but for the
// reasons of rejects: that column of each file is read once. One thread.
class QualityLook {
 public:
  QualityLook(const Config& config, std::shared_ptr<lake::ObjectStore> store);

  // Reads files for about half a second at most; the next look reads further ones.
  Result<QualityReport> Look();

 private:
  struct Newest {
    std::shared_ptr<const lake::Snapshot> bronze, silver, rejects, gold;  // Null: none.
  };

  Result<Newest> ReadNewest();
  Status ReadPass(const Newest& newest, QualityReport* report);
  Status CountReasons(const lake::Snapshot& rejects, QualityReport* report);
  Result<std::optional<BronzeRows>> DecidedRows(const lake::Snapshot& bronze, int64_t version,
                                                std::string* unknown);
  std::optional<int64_t> ForeignOf(const DataFile& file);
  void ReadRules(const lake::Snapshot* rejects, QualityReport* report);

  const Config config_;
  const std::shared_ptr<lake::ObjectStore> store_;
  observe::NewestVersion bronze_, silver_, rejects_, gold_;
  const refine::RuleSource rule_source_;
  std::string rules_stamp_;
  Result<std::shared_ptr<const refine::RuleBook>> rules_;
  Newest looked_at_;  // What `report_` was made of.
  bool counted_all_ = false;
  QualityReport report_;
  std::unordered_map<std::string, std::optional<int64_t>> foreign_;  // By the file's path.
  std::unordered_map<std::string, RowsByReasons> reasons_of_;        // Likewise.
};

}  // namespace shopstream::console
