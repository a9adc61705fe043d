#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "sql/lake_rows.h"
#include "sql/masked_rows.h"
#include "sql/pruning.h"
#include "sql/session.h"
#include "tables/complete_pass.h"

namespace shopstream::sql {

// The names that tables of these paths have in SQL, with their paths. '-' and '/' become '_', and a
// table below refine.gold_folder is gold_<name>. The tables of lake.bronze_table,
// lake.quarantine_table, refine.silver_table and refine.rejects_table are also bronze_events,
// bronze_quarantine, silver_events and silver_rejects. A name that is taken already stays with its
// owner; the other table has its path as name, to be quoted: "bronze-events".
std::map<std::string, std::string> SqlNames(const std::vector<std::string>& paths,
                                            const Config& config);

// Which versions are read; by default the newest, and of the tables that refine fills the newest
// of the last pass that all of them have, see tables::CompletePass.
struct ReadVersions {
  std::optional<int64_t> as_of_ms;        // The same at this time, since 1970.
  std::map<std::string, int64_t> tables;  // By name in SQL; takes precedence.
  bool with_archives = true;              // The rows that `table archive` moved elsewhere, too.
};

// The masked columns of the table with this path: indexes into the schema.
using FindMasked =
    std::function<std::vector<int>(const std::string& path, const arrow::Schema& schema)>;

// The lake's tables as tables of SQL. One thread.
class Catalog {
 public:
  // A table that a statement reads.
  struct OpenTable {
    std::string path;
    int64_t version = 0;
    std::optional<int64_t> pass = {};  // That it holds, if refine fills it.
    // Where its archive is, and the version of it that was read; see tables/archive.h.
    std::optional<std::pair<std::string, int64_t>> archive = {};
    std::unique_ptr<LakeRows> rows;
    std::unique_ptr<MaskedRows> masked = {};  // What statements see; null: the rows themselves.

    const std::shared_ptr<arrow::Schema>& schema() const {
      return masked != nullptr ? masked->schema() : rows->schema();
    }
  };

  // Borrowed; outlives the catalog, which outlives the engines that its tables are registered with.
  // KeyError: a version is given for a table that does not exist.
  static Result<std::unique_ptr<Catalog>> Open(lake::ObjectStore* store, const Config& config,
                                               ReadVersions versions = {});

  // From now on, statements see the mask instead of the values of these columns; see MaskedRows.
  // Before the first Register.
  void Mask(FindMasked masked) { masked_ = std::move(masked); }

  // Registers the tables whose names occur in the text; all tables if it asks which there are. A
  // table keeps the version that it had when it was first named. Errors: as lake::SnapshotAt.
  Status Register(const std::string& sql, Session* session);
  // Narrows the registered tables to the files that this statement needs.
  Status NarrowTo(const std::string& statement, Session* session);
  // The error of a statement, with the lake's tables instead of those that are registered if it
  // names one that does not exist.
  Status Explained(const Status& error) const;

  const std::map<std::string, std::string>& names() const { return names_; }
  const std::map<std::string, OpenTable>& open() const { return open_; }  // By their names.
  // The pass of the tables that refine fills; nothing until a statement reads one.
  const std::optional<tables::CompletePass>& complete() const { return complete_; }

 private:
  Catalog(lake::ObjectStore* store, const Config& config, std::map<std::string, std::string> names,
          ReadVersions versions)
      : store_(store),
        config_(config),
        refine_(config_.refine),
        names_(std::move(names)),
        versions_(std::move(versions)) {}

  Result<OpenTable> Read(const std::string& name, const std::string& path);
  Status AddArchive(const lake::Snapshot& snapshot, OpenTable* table);
  Result<std::shared_ptr<const lake::Snapshot>> ReadNewest(const std::string& path) const;
  bool IsRefined(const std::string& path) const;
  Status FindCompletePass();

  lake::ObjectStore* const store_;
  const Config config_;
  const RefineConfig& refine_;                      // Part of config_.
  const std::map<std::string, std::string> names_;  // -> path
  const ReadVersions versions_;
  FindMasked masked_;  // Null: none.
  std::optional<tables::CompletePass> complete_;
  std::map<std::string, std::unique_ptr<lake::ObjectStore>> places_;  // With archives.
  std::map<std::string, OpenTable> open_;
};

// The open tables by name: where they are, which version was read, and what that took.
nlohmann::ordered_json OpenTablesJson(const Catalog& catalog);

}  // namespace shopstream::sql
