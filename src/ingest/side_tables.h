#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::ingest {

// The open side tables of one Bronze. They are opened when Bronze announces them in its property
// shopstream.types, or created for the first rows of a type, and stay open. Thread-safe.
class SideTables {
 public:
  // Replaces each table by another that behaves like it; for tests.
  using Wrap = std::function<std::unique_ptr<lake::Table>(std::unique_ptr<lake::Table>)>;

  // `store` is borrowed and outlives it. `options`: Bronze's.
  SideTables(lake::ObjectStore* store, LayoutOptions options, Wrap wrap = nullptr)
      : store_(store), options_(std::move(options)), wrap_(std::move(wrap)) {}

  const LayoutOptions& options() const { return options_; }

  // Invalid: Bronze announces some, but the setting ingest.record_types is one.
  Status CheckSetting(const lake::Snapshot& bronze) const;
  // Opens those that this version of Bronze announces. Invalid: a table is missing, or as above.
  Status OpenAnnounced(const lake::Snapshot& bronze);
  // The table for rows of this layout. It is created if it does not exist, and Bronze announces it,
  // which must precede its first rows: every writer that starts then knows which tables to look at.
  // `allows` may forbid that for a version of Bronze. Null: it is forbidden, or the table is
  // another type's by now; what the tables store has to be read again. Invalid: the table is not a
  // side table of Bronze.
  Result<lake::Table*> Provide(const BronzeLayout& layout, lake::Table* bronze,
                               const std::function<bool(const lake::Snapshot& bronze)>& allows,
                               BootClock::time_point deadline);

  // Those that are open, by path; they stay open.
  std::vector<lake::Table*> Open() const;
  lake::Table* Find(const std::string& path) const;  // Null: not open.

 private:
  Result<std::unique_ptr<lake::Table>> OpenOrCreate(const BronzeLayout& layout);
  lake::Table* Keep(std::unique_ptr<lake::Table> table);

  lake::ObjectStore* const store_;
  const LayoutOptions options_;
  const Wrap wrap_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<lake::Table>> open_;  // By path. Guarded by mutex_.
};

}  // namespace shopstream::ingest
