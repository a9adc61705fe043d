#pragma once

#include <memory>
#include <string>

#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::refine {

// The tables that Gold is made from, at one version each.
struct GoldSources {
  lake::ObjectStore* store = nullptr;  // Borrowed.
  std::string silver_path, rejects_path;
  std::shared_ptr<const lake::Snapshot> silver, rejects;
};

}  // namespace shopstream::refine
