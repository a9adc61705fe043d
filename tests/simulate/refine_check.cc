#include "simulate/refine_check.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/table.h>

#include <compare>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "lake/upkeep/verify.h"
#include "refine/closed_dates.h"
#include "refine/dates.h"
#include "refine/rules.h"
#include "simulate/version_check.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/erased_offsets.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/refine_state.h"
#include "tables/replayed_offsets.h"
#include "tables/typed_column.h"

namespace shopstream::simulate {
namespace {

// Of a row.
struct RowPlace {
  tables::ProgressKey key;
  int64_t offset = 0;
  auto operator<=>(const RowPlace&) const = default;
};
// How many rows have it, and the date of the last one, days since 1970.
struct PlacedRows {
  int count = 0;
  refine::Date date;
};
using RowPlaces = std::map<RowPlace, PlacedRows>;

std::string Named(const RowPlace& place) {
  return "topic id " + place.key.topic_id + " partition " + std::to_string(place.key.partition) +
         " offset " + std::to_string(place.offset);
}

class RefineChecker {
 public:
  RefineChecker(RefineWorld* world, const RefineWatch& watch)
      : world_(world), watch_(watch), store_(world->Look()) {}

  Status Run() {
    if (!watch_.CompletePass()) Fail("the tables hold different passes in the end");
    ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::Table::Open(store_.get(), kBronzeTable));
    ARROW_ASSIGN_OR_RAISE(const auto silver, lake::Table::Open(store_.get(), kSilverTable));
    ARROW_ASSIGN_OR_RAISE(const auto rejects, lake::Table::Open(store_.get(), kRejectsTable));
    ARROW_RETURN_NOT_OK(CheckStandings(*silver->snapshot(), *rejects->snapshot()));
    ARROW_ASSIGN_OR_RAISE(const RowPlaces in_bronze, ReadPlaces(*bronze));
    ARROW_ASSIGN_OR_RAISE(RowPlaces refined, ReadPlaces(*silver));
    ARROW_ASSIGN_OR_RAISE(const RowPlaces rejected, ReadPlaces(*rejects));
    for (const auto& [place, rows] : rejected) {
      refined[place].count += rows.count;
      refined[place].date = rows.date;
    }
    ARROW_RETURN_NOT_OK(CheckBronze(*bronze->snapshot(), in_bronze));
    ARROW_RETURN_NOT_OK(CheckPlaces(*bronze->snapshot(), *silver->snapshot(), in_bronze, refined));
    ARROW_RETURN_NOT_OK(CheckPurchases(*silver, *rejects));
    for (const lake::Table* table : {bronze.get(), silver.get(), rejects.get()}) {
      ARROW_RETURN_NOT_OK(CheckVersions(*table));
    }
    ARROW_ASSIGN_OR_RAISE(const auto gold, store_->ListFolders(kGoldFolder));
    for (const std::string& name : gold) {
      ARROW_ASSIGN_OR_RAISE(const auto table,
                            lake::Table::Open(store_.get(), kGoldFolder + ("/" + name)));
      ARROW_RETURN_NOT_OK(CheckVersions(*table));
    }
    return Status::OK();
  }

 private:
  void Fail(std::string what) {
    if (world_->failures.size() < 20) world_->failures.push_back(std::move(what));
  }

  // Both are as far. The last offsets of Bronze may all be quarantined: then no pass is needed.
  Status CheckStandings(const lake::Snapshot& silver, const lake::Snapshot& rejects) {
    ARROW_ASSIGN_OR_RAISE(const auto of_silver, tables::ReadRefineStanding(silver));
    ARROW_ASSIGN_OR_RAISE(const auto of_rejects, tables::ReadRefineStanding(rejects));
    if (of_silver.ends != of_rejects.ends) Fail("Silver and rejects are refined to other ends");
    if (of_silver.complete_through_ms != of_rejects.complete_through_ms) {
      Fail("Silver and rejects are complete through other times");
    }
    return Status::OK();
  }

  // Each row of Bronze is refined once, unless its date is closed, and nothing else is but what
  // only Bronze has lost.
  Status CheckPlaces(const lake::Snapshot& bronze, const lake::Snapshot& silver,
                     const RowPlaces& in_bronze, const RowPlaces& refined) {
    ARROW_ASSIGN_OR_RAISE(const auto closed, refine::ClosedDates::Of(silver));
    ARROW_ASSIGN_OR_RAISE(const auto expired,
                          tables::ReadRemoved(bronze, tables::Removal::kExpired));
    for (const auto& [place, rows] : in_bronze) {
      const auto found = refined.find(place);
      const int times = found == refined.end() ? 0 : found->second.count;
      if (times == 1 || (times == 0 && closed.Contains(rows.date))) continue;
      Fail(Named(place) + " is refined " + std::to_string(times) + " times");
    }
    for (const auto& [place, rows] : refined) {
      const bool has_expired =
          tables::Contains(expired, place.key.topic_id, place.key.partition, place.offset);
      if (!in_bronze.contains(place) && !has_expired) {
        Fail(Named(place) + " is refined, but not in Bronze");
      }
      if (rows.count > 1) Fail(Named(place) + " is refined more than once");
    }
    return Status::OK();
  }

  // Counts the rows of each place; those without one are another program's.
  Result<RowPlaces> ReadPlaces(const lake::Table& table) {
    RowPlaces places;
    const auto snapshot = table.snapshot();
    for (const DataFile& file : snapshot->Files()) {
      ARROW_ASSIGN_OR_RAISE(const refine::Date date, refine::DateOf(file));
      ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
          store_.get(), table.path(), file, snapshot->schema(),
          [&](const std::optional<tables::Coordinates>& at) {
            if (!at) return true;
            PlacedRows& rows = places[{{std::string(at->topic_id), at->partition}, at->offset}];
            ++rows.count;
            rows.date = date;
            return true;
          }));
    }
    return places;
  }

  Status CheckBronze(const lake::Snapshot& bronze, const RowPlaces& places) {
    if (world_->topic != nullptr) return CheckIngested(bronze, places);
    ARROW_ASSIGN_OR_RAISE(const auto removed, tables::ReadRemoved(bronze));
    size_t expected = 0;
    for (const auto& [key, log] : world_->kafka) {
      const std::string* text = lake::FindProperty(bronze, tables::ReplayedProperty(key.topic_id));
      tables::ReplayedOffsets replayed;
      if (text != nullptr) {
        ARROW_ASSIGN_OR_RAISE(replayed, tables::ReplayedOffsets::Parse(*text));
      }
      for (int64_t offset = 0; offset < std::ssize(log); ++offset) {
        const RowPlace place{key, offset};
        const bool quarantined = log[static_cast<size_t>(offset)].quarantined;
        if (quarantined && !replayed.Contains(key.partition, offset)) continue;
        if (tables::Contains(removed, key.topic_id, key.partition, offset)) continue;
        ++expected;
        const auto found = places.find(place);
        if (found == places.end() || found->second.count != 1) {
          Fail("Bronze does not have once: " + Named(place));
        }
      }
    }
    ARROW_RETURN_NOT_OK(CheckErased(bronze));
    if (places.size() != expected) Fail("Bronze has rows that were not bought");
    return Status::OK();
  }

  // Only what an erase chose: purchases of its users, and copies of them.
  Status CheckErased(const lake::Snapshot& bronze) {
    ARROW_ASSIGN_OR_RAISE(const auto erased, tables::ReadRemoved(bronze, tables::Removal::kErased));
    std::set<int64_t> users;
    for (const RefineAction& action : world_->plan.actions) {
      if (action.deed == RefineDeed::kErase) users.insert(action.amount);
    }
    const auto is_chosen = [&](const Purchase& purchase) {
      return purchase.user_id && users.contains(*purchase.user_id);
    };
    std::set<std::string> ids;
    for (const auto& [key, log] : world_->kafka) {
      for (const Purchase& purchase : log) {
        if (is_chosen(purchase) && purchase.event_id) ids.insert(*purchase.event_id);
      }
    }
    for (const auto& [key, log] : world_->kafka) {
      for (int64_t offset = 0; offset < std::ssize(log); ++offset) {
        const Purchase& purchase = log[static_cast<size_t>(offset)];
        const bool may_go =
            is_chosen(purchase) || (purchase.event_id && ids.contains(*purchase.event_id));
        if (tables::Contains(erased, key.topic_id, key.partition, offset) && !may_go) {
          Fail("erased, but not of such a user: " + Named({key, offset}));
        }
      }
    }
    return Status::OK();
  }

  // What an ingest makes of a topic, the histories of ingest check: here it is enough that it has
  // brought all that the newest topic has and that its schemas describe.
  Status CheckIngested(const lake::Snapshot& bronze, const RowPlaces& places) {
    ARROW_ASSIGN_OR_RAISE(const auto removed, tables::ReadRemoved(bronze));
    for (const auto& [key, log] : world_->kafka) {
      if (key.topic_id != world_->topic_id) continue;
      for (int64_t offset = 0; offset < std::ssize(log); ++offset) {
        if (log[static_cast<size_t>(offset)].quarantined) continue;
        if (tables::Contains(removed, key.topic_id, key.partition, offset)) continue;
        const auto found = places.find({key, offset});
        if (found == places.end() || found->second.count != 1) {
          Fail("Bronze does not have once: " + Named({key, offset}));
        }
      }
    }
    return Status::OK();
  }

  using Purchases = std::vector<std::pair<std::string, int32_t>>;  // Their ids and dates.

  // Those of the rows with these reasons; null: there is no such column, so all rows.
  Result<Purchases> ReadPurchases(const lake::Table& table, const char* reasons) {
    const auto snapshot = table.snapshot();
    Purchases purchases;
    for (const DataFile& file : snapshot->Files()) {
      std::vector<std::string> columns = {"event_id", tables::kDate};
      if (reasons != nullptr) columns.emplace_back("reasons");
      ARROW_ASSIGN_OR_RAISE(const auto read, lake::ReadDataFile(store_.get(), table.path(), file,
                                                                snapshot->schema(), columns));
      ARROW_ASSIGN_OR_RAISE(const auto rows, read->CombineChunksToBatch());
      ARROW_ASSIGN_OR_RAISE(const auto ids,
                            tables::TypedColumn<arrow::StringArray>(*rows, "event_id"));
      ARROW_ASSIGN_OR_RAISE(const auto dates,
                            tables::TypedColumn<arrow::Date32Array>(*rows, tables::kDate));
      for (int64_t row = 0; row < rows->num_rows(); ++row) {
        if (reasons != nullptr) {
          ARROW_ASSIGN_OR_RAISE(const auto found,
                                tables::TypedColumn<arrow::StringArray>(*rows, "reasons"));
          if (found->GetView(row) != reasons) continue;
        }
        purchases.emplace_back(ids->GetString(row), dates->Value(row));
      }
    }
    return purchases;
  }

  // Each is in Silver once, and nothing is called a duplicate of one that is not.
  Status CheckPurchases(const lake::Table& silver, const lake::Table& rejects) {
    ARROW_ASSIGN_OR_RAISE(const Purchases purchases, ReadPurchases(silver, nullptr));
    std::set<std::pair<std::string, int32_t>> seen;
    for (const auto& purchase : purchases) {
      if (!seen.insert(purchase).second) {
        Fail("purchase " + purchase.first + " is in Silver twice");
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto closed, refine::ClosedDates::Of(*silver.snapshot()));
    for (const auto& purchase : purchases) {
      if (closed.Contains(purchase.second)) Fail("Silver has a closed date: " + purchase.first);
    }
    ARROW_ASSIGN_OR_RAISE(const Purchases duplicates, ReadPurchases(rejects, refine::kDuplicate));
    for (const auto& purchase : duplicates) {
      if (!seen.contains(purchase) && !closed.Contains(purchase.second)) {
        Fail("purchase " + purchase.first + " is called a duplicate, but not in Silver");
      }
    }
    return Status::OK();
  }

  Status CheckVersions(const lake::Table& table) {
    ARROW_ASSIGN_OR_RAISE(const auto missing,
                          MissingFiles(store_.get(), table.path(), table.snapshot()->version(),
                                       world_->scheduler.EpochMillis()));
    for (const std::string& file : missing) Fail(file + " is needed by a version, and gone");
    // More expensive than all other checks here, and mostly covered by other tests.
    if (world_->plan.seed % 8 != 0) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto report,
                          lake::VerifyTable(store_.get(), table.path(), {}, [] { return false; }));
    for (const auto& finding : report.findings) Fail(finding.path + ": " + finding.reason);
    return Status::OK();
  }

  RefineWorld* const world_;
  const RefineWatch& watch_;
  const std::unique_ptr<lake::ObjectStore> store_;
};

}  // namespace

void CheckRefined(RefineWorld* world, const RefineWatch& watch) {
  const Status status = RefineChecker(world, watch).Run();
  if (!status.ok()) world->failures.push_back("the check failed: " + status.ToString());
}

}  // namespace shopstream::simulate
