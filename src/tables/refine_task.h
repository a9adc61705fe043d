#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::tables {

enum class TaskKind {
  kRestate,  // Judges the rows of the dates again.
  kErase,    // Removes the rows of the predicate, and their copies, from every table.
  kRetain,   // Removes the dates below the horizon from one table.
  kArchive,  // The same of Bronze, if its files of these dates are those that its archive has.
};
const char* Name(TaskKind kind);  // "restate"

// A pass that changes what earlier passes made. Rejects reserve its number in a property and in the
// txn RefineStanding::task, in one commit; it is open until every table has the number. Whoever
// comes next finishes it from the first table that lacks it, and no other pass begins before.
struct RefineTask {
  using Date = std::optional<int32_t>;  // Days since 1970; nothing: null.

  int64_t pass = 0;
  TaskKind kind = TaskKind::kRestate;
  // Those that Gold recomputes. To erase: known with the commit of rejects.
  std::set<Date> dates = {};
  std::string predicate = {};                     // To erase: SQL over the columns of Bronze.
  std::string table = {};                         // To retain or archive: its path.
  std::optional<int32_t> horizon = std::nullopt;  // Likewise: the first date kept.
  int64_t archive_run = 0;                        // To archive: see tables/archive.h.
  std::string files_digest = {};                  // Likewise: DigestOf the files that go.
  int64_t at_ms = 0;                              // When it was reserved, since 1970.

  bool operator==(const RefineTask&) const = default;
};

inline bool RemovesDates(const RefineTask& task) {
  return task.kind == TaskKind::kRetain || task.kind == TaskKind::kArchive;
}

// The one that is open, or has ended and is not forgotten yet. Invalid: the property is damaged.
Result<std::optional<RefineTask>> ReadRefineTask(const lake::Snapshot& rejects);

// The property that records it; nothing forgets it, so that what it names can be vacuumed.
std::map<std::string, std::string> RefineTaskProperty(const std::optional<RefineTask>& task);

// The first date that the table still has rows of, days since 1970; nothing: it has all. Earlier
// ones were removed to retain the others. Invalid: the property is damaged.
Result<std::optional<int32_t>> ReadHorizon(const lake::Snapshot& table);
std::map<std::string, std::string> HorizonProperty(int32_t first_date);

}  // namespace shopstream::tables
