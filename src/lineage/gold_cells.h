#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "refine/gold_file.h"

namespace shopstream::lineage {

// A value as JSON text.
using ValueText = std::string;

struct CellColumn {
  std::string name;
  refine::GoldKind kind = refine::GoldKind::kKey;
  ValueText value = {};  // Of the cell; empty: there is no cell.
  ValueText share = {};  // What this row alone gives; empty: derived from others.
  std::optional<double> share_percent = {};  // Of sums.
};

// The row of a Gold table that a row of Silver or rejects contributes to.
struct GoldCell {
  enum class State {
    kHasIt,    // The table has the row's pass.
    kAwaited,  // It does not have it yet.
    kAbsent,   // It has the pass, but not this cell: erased, or dates that it no longer has.
    kNoTable,
  };

  std::string table;  // Its path.
  State state = State::kNoTable;
  std::optional<int64_t> version = {}, pass = {};  // Of the table.
  std::vector<std::pair<std::string, ValueText>> key = {};
  std::vector<CellColumn> columns = {};  // All but the key.
};
const char* Name(GoldCell::State state);  // "has_it"

// One row of Silver or of rejects, with all columns of its table; the other one has none.
struct RefinedRow {
  std::shared_ptr<arrow::RecordBatch> silver = {}, rejects = {};
  int64_t pass = 0;
};

// What the row contributes to: each file's SQL over this row alone gives the key and the share. A
// file that the row does not contribute to has no cell. Cancelled: `stop` returned true.
Result<std::vector<GoldCell>> FindGoldCells(lake::ObjectStore* store,
                                            const std::string& gold_folder,
                                            const std::vector<refine::GoldFile>& files,
                                            const RefinedRow& row,
                                            const std::function<bool()>& stop);

}  // namespace shopstream::lineage
