#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "refine/columns.h"
#include "refine/gold_file.h"
#include "refine/gold_merge.h"
#include "sql/engine.h"
#include "sql/memory_rows.h"
#include "sql/session.h"

namespace shopstream::refine {

// Judged rows, by their position.
struct FixtureVerdicts {
  std::shared_ptr<arrow::RecordBatch> rows;  // All columns of Silver and rejects.
  std::vector<int32_t> silver, rejects;
  std::vector<int32_t> open_rejects;  // Those of dates that are not closed; Gold counts no others.
};

// A Gold table in the two ways that must agree: by the batch SQL over all rows, and as a pass with
// one row of three, to which a second pass adds the others.
struct FixtureGoldRows {
  std::shared_ptr<arrow::RecordBatch> batch, passes;
};

// Computes Gold tables from rows in memory. One thread.
class FixtureGold {
 public:
  FixtureGold(std::vector<GoldFile> files, RefineColumns columns);

  std::vector<std::string> Tables() const;
  const RefineColumns& columns() const { return columns_; }
  // Invalid: the file's SQL does not keep to its declarations or fails, with file and line.
  Result<FixtureGoldRows> Compute(const std::string& table, const FixtureVerdicts& verdicts);

 private:
  struct Gold {
    GoldFile file;
    std::unique_ptr<GoldMerge> merge = nullptr;  // Null: not needed yet.
    std::vector<sql::Query> batch = {};
  };

  Status Open(Gold* gold);
  Status OpenEngine();

  const RefineColumns columns_;
  sql::MemoryRows silver_, rejects_;  // Outlive the engine.
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  std::map<std::string, Gold> gold_;  // By table.
};

}  // namespace shopstream::refine
