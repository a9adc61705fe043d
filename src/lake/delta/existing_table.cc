#include "lake/delta/existing_table.h"

#include "base/join.h"
#include "base/nearest_name.h"
#include "lake/delta/table_history.h"

namespace shopstream::lake {
namespace {

constexpr size_t kMostNames = 10;

Status NoSuchTable(ObjectStore* store, const std::string& path) {
  const std::string where = "there is no table " + path + " in " + store->Describe();
  const auto tables = FindTables(store);
  if (!tables.ok()) return Status::KeyError(where);
  if (tables->empty()) {
    return Status::KeyError(where, ", nor any other: correct lake.uri, or create the tables with ",
                            "`shopstream ingest`");
  }
  const std::string near = DidYouMean(path, *tables);
  if (!near.empty()) return Status::KeyError(where, near);
  if (tables->size() > kMostNames) return Status::KeyError(where, ": see `shopstream table list`");
  return Status::KeyError(where, ": its tables are ", Joined(*tables, ", "));
}

}  // namespace

Result<std::unique_ptr<Table>> OpenExisting(ObjectStore* store, const std::string& path) {
  auto table = Table::Open(store, path);
  return table.status().IsKeyError() ? NoSuchTable(store, path) : std::move(table);
}

}  // namespace shopstream::lake
