#pragma once

#include <memory>
#include <string>

#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "refine/columns.h"

namespace shopstream::refine {

// The tables that Gold is made from, at one version each.
struct GoldSources {
  lake::ObjectStore* store = nullptr;  // Borrowed.
  std::string silver_path, rejects_path;
  std::shared_ptr<const lake::Snapshot> silver, rejects;
};

// The same tables with these columns. A column that Bronze has by now and a table not yet, because
// no pass has brought rows since, is null in all of its rows.
GoldSources WithColumns(const GoldSources& sources, const RefineColumns& columns);

}  // namespace shopstream::refine
