#pragma once

#include "base/status.h"
#include "refine/lookups.h"
#include "sql/memory_rows.h"
#include "sql/session.h"

namespace shopstream::refine {

// The look-up tables in an engine, as rates and product_categories.
class LookupTables {
 public:
  // Outlives the engine.
  explicit LookupTables(const Lookups& lookups);

  // As tables of DuckDB's own, because each pass reads all of them.
  Status Register(sql::Session* session);

 private:
  const Lookups lookups_;
  sql::MemoryRows rates_, categories_;
};

}  // namespace shopstream::refine
