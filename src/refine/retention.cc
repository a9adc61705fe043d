#include "refine/retention.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "refine/dates.h"
#include "tables/archive.h"
#include "tables/coordinates.h"
#include "tables/refine_task.h"
#include "tables/replayed_offsets.h"

namespace shopstream::refine {
namespace {

// Which rows of Bronze Silver and the rejects have.
class RefinedBelow {
 public:
  static Result<RefinedBelow> Of(const lake::Snapshot& bronze,
                                 const tables::RefineStanding& refined) {
    RefinedBelow below(refined);
    for (const auto& [key, end] : refined.ends) {
      if (below.waiting_.contains(key.topic_id)) continue;
      ARROW_ASSIGN_OR_RAISE(const auto replayed, tables::ReadReplayed(bronze, key.topic_id));
      const auto done = refined.replayed.find(key.topic_id);
      below.waiting_[key.topic_id] =
          done == refined.replayed.end() ? replayed : replayed.Without(done->second);
    }
    return below;
  }

  bool Contains(const tables::Coordinates& at) const {
    const std::string topic_id(at.topic_id);
    const auto end = refined_->ends.find({topic_id, at.partition});
    if (end == refined_->ends.end() || at.offset >= end->second) return false;
    return !waiting_.at(topic_id).Contains(at.partition, at.offset);
  }

 private:
  explicit RefinedBelow(const tables::RefineStanding& refined) : refined_(&refined) {}

  const tables::RefineStanding* refined_;                   // Borrowed.
  std::map<std::string, tables::ReplayedOffsets> waiting_;  // For a pass, by topic id.
};

// Adds where the rows of the file came from. Whether all of them are refined; rows that another
// program appended belong to no pass.
Result<bool> ReadExpired(const lake::Table& table, const DataFile& file,
                         const RefinedBelow* refined, ExpiredDates* expired) {
  bool is_refined = true;
  ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
      table.store(), table.path(), file, table.snapshot()->schema(),
      [&](const std::optional<tables::Coordinates>& at) {
        ++expired->rows;
        if (!at) return true;
        is_refined = is_refined && (refined == nullptr || refined->Contains(*at));
        expired->offsets[std::string(at->topic_id)].Insert(at->partition, at->offset);
        return is_refined;
      }));
  return is_refined;
}

// Removes the files, and records the horizon and where the rows came from.
Result<lake::Changes> RemovalOf(const lake::Snapshot& now, const ExpiredDates& expired,
                                int64_t task) {
  ARROW_ASSIGN_OR_RAISE(const auto before, tables::ReadHorizon(now));
  lake::Changes changes;
  changes.operation = kRetainOperation;
  changes.removes = expired.files;
  changes.info = nlohmann::json{{"removedRows", expired.rows}};
  if (task > 0) changes.info->emplace("task", task);
  lake::TableGrowth growth{.columns = now.schema(), .properties = {}};
  ARROW_ASSIGN_OR_RAISE(growth.properties,
                        tables::RemovedProperties(now, tables::Removal::kExpired, expired.offsets));
  growth.properties.merge(
      tables::HorizonProperty(std::max(expired.first_kept, before.value_or(expired.first_kept))));
  changes.growth = std::move(growth);
  return changes;
}

Status NotRemoved(const lake::Table& table, const lake::CommitResult& result) {
  return Unavailable("the dates of ", table.path(), " were not removed: ", result.detail);
}

}  // namespace

Result<ExpiredDates> FindExpired(const lake::Table& table, int32_t horizon,
                                 const tables::RefineStanding* refined) {
  const auto snapshot = table.snapshot();
  std::map<int32_t, std::vector<DataFile>> by_date;
  for (DataFile& file : snapshot->Files()) {
    ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
    if (date && *date < horizon) by_date[*date].push_back(std::move(file));
  }
  std::optional<RefinedBelow> below;
  if (refined != nullptr) {
    ARROW_ASSIGN_OR_RAISE(below, RefinedBelow::Of(*snapshot, *refined));
  }
  ExpiredDates expired;
  expired.first_kept = horizon;
  for (auto& [date, files] : by_date) {
    ExpiredDates of_date;
    bool is_refined = expired.not_refined.empty();
    for (const DataFile& file : files) {
      if (!is_refined) break;
      ARROW_ASSIGN_OR_RAISE(is_refined,
                            ReadExpired(table, file, below ? &*below : nullptr, &of_date));
    }
    if (!is_refined) {
      expired.first_kept = std::min(expired.first_kept, date);
      expired.not_refined.insert(date);
      continue;
    }
    expired.rows += of_date.rows;
    tables::Merge(of_date.offsets, &expired.offsets);
    expired.dates.insert(date);
    std::ranges::move(files, std::back_inserter(expired.files));
  }
  return expired;
}

Status CommitExpired(lake::Table* table, const ExpiredDates& expired, int64_t task,
                     BootClock::time_point deadline) {
  ARROW_ASSIGN_OR_RAISE(const auto known, tables::ReadHorizon(*table->snapshot()));
  if (expired.files.empty() && known && *known >= expired.first_kept) return Status::OK();
  const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
    ARROW_ASSIGN_OR_RAISE(lake::Changes changes, RemovalOf(now, expired, task));
    return changes;
  };
  ARROW_ASSIGN_OR_RAISE(const lake::CommitResult committed, table->Commit(prepare, deadline));
  if (committed.outcome == lake::CommitOutcome::kCommitted) return Status::OK();
  return NotRemoved(*table, committed);
}

Result<bool> ReleaseArchived(lake::Table* table, const ExpiredDates& expired,
                             const ArchivedFiles& archived, int64_t task,
                             BootClock::time_point deadline) {
  if (!expired.not_refined.empty()) return false;
  if (tables::DigestOf(expired.files) != archived.digest) return false;
  const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
    ARROW_ASSIGN_OR_RAISE(const auto link, tables::ReadArchiveLink(now));
    if (!link || link->reserved != archived.run || link->released >= archived.run) {
      return lake::Refusal{.why = "another run of `table archive` was faster"};
    }
    ARROW_ASSIGN_OR_RAISE(lake::Changes changes, RemovalOf(now, expired, task));
    changes.operation = kReleaseOperation;
    changes.txns = tables::ArchivedTxn(archived.run);
    return changes;
  };
  ARROW_ASSIGN_OR_RAISE(const lake::CommitResult committed, table->Commit(prepare, deadline));
  if (committed.outcome == lake::CommitOutcome::kUnknown) return NotRemoved(*table, committed);
  return committed.outcome == lake::CommitOutcome::kCommitted;
}

Result<ExpiredDates> FindExpiredRefined(const lake::Snapshot& table, int32_t horizon,
                                        const lake::Snapshot* silver) {
  ARROW_ASSIGN_OR_RAISE(const auto known, tables::ReadHorizon(table));
  ExpiredDates expired;
  expired.first_kept = std::max(horizon, known.value_or(horizon));
  std::optional<int32_t> lost;  // By Silver: the dates below.
  if (silver != nullptr) {
    ARROW_ASSIGN_OR_RAISE(lost, tables::ReadHorizon(*silver));
  }
  for (DataFile& file : table.Files()) {
    ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
    if (!date || *date >= expired.first_kept) continue;
    if (silver != nullptr && (!lost || *date >= *lost)) {
      expired.in_silver.insert(*date);
      continue;
    }
    expired.dates.insert(*date);
    expired.rows += std::max<int64_t>(file.rows, 0);
    expired.files.push_back(std::move(file));
  }
  if (silver != nullptr) {
    const int32_t none =
        expired.in_silver.empty() ? expired.first_kept : *expired.in_silver.begin();
    expired.first_kept = std::min(expired.first_kept, lost.value_or(none));
  }
  return expired;
}

}  // namespace shopstream::refine
