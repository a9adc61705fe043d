#include "simulate/check.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/table.h>

#include <algorithm>
#include <utility>

#include "ingest/quarantine_replay.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "lake/upkeep/verify.h"
#include "simulate/version_check.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/partition_state.h"
#include "tables/replayed_offsets.h"
#include "tables/typed_column.h"

namespace shopstream::simulate {
namespace {

// How often an offset is in the lake, and in which form.
struct Sighting {
  int bronze = 0, quarantine = 0;
  bool replayed = false;
  int64_t id = -1;                   // According to Bronze, or the side table.
  std::string table;                 // The side table; empty: Bronze.
  std::optional<std::string> value;  // According to quarantine.
};
using Place = std::pair<int32_t, int64_t>;                           // Partition, offset.
using Sightings = std::map<std::string, std::map<Place, Sighting>>;  // By topic id.

std::vector<std::string> AllTables(World* world) {
  std::vector<std::string> paths = world->SidePaths();
  paths.push_back(world->layout.table);
  paths.push_back(world->layout.quarantine_table);
  return paths;
}

class Checker {
 public:
  explicit Checker(World* world) : world_(world), store_(world->Look()) {}

  void Run() {
    for (const std::string& path : AllTables(world_)) {
      const Status status = LookAt(path);
      if (!status.ok()) Fail(path + ": " + status.ToString());
    }
    const Status status = LookAtReplays();
    if (!status.ok()) Fail(status.ToString());
    if (!world_->failures.empty()) return;
    const Status times = CheckTimes();
    if (!times.ok()) Fail(times.ToString());
    for (const auto& [topic_id, partitions] : world_->truth) {
      for (size_t partition = 0; partition < partitions.size(); ++partition) {
        Compare(topic_id, static_cast<int32_t>(partition), partitions[partition]);
      }
    }
    for (const auto& [topic_id, places] : seen_) {
      for (const auto& [place, sighting] : places) {
        Fail("a row without a record: topic " + topic_id + Named(place));
      }
    }
  }

 private:
  static std::string Named(const Place& place) {
    return " partition " + std::to_string(place.first) + " offset " + std::to_string(place.second);
  }

  void Fail(std::string what) {
    if (world_->failures.size() < 20) world_->failures.push_back(std::move(what));
  }

  Status LookAt(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store_.get(), path));
    const auto snapshot = table->snapshot();
    if (path == world_->layout.table) bronze_ = snapshot;
    for (const DataFile& file : snapshot->Files()) ARROW_RETURN_NOT_OK(ReadRows(*table, file));
    ARROW_ASSIGN_OR_RAISE(const auto missing, MissingFiles(store_.get(), path, snapshot->version(),
                                                           world_->scheduler.EpochMillis()));
    for (const std::string& file : missing) Fail(file + " is needed by a version, and gone");
    // More expensive than all other checks here, and mostly covered by other tests.
    if (world_->plan.seed % 4 != 0) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto report,
                          lake::VerifyTable(store_.get(), path, {}, [] { return false; }));
    for (const auto& finding : report.findings) Fail(finding.path + ": " + finding.reason);
    return Status::OK();
  }

  Status LookAtReplays() {
    for (const std::string& path : AllTables(world_)) {
      if (path == world_->layout.quarantine_table) continue;
      ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store_.get(), path));
      for (auto& [topic_id, places] : seen_) {
        ARROW_ASSIGN_OR_RAISE(const auto replayed,
                              tables::ReadReplayed(*table->snapshot(), topic_id));
        for (auto& [place, sighting] : places) {
          if (replayed.Contains(place.first, place.second)) sighting.replayed = true;
        }
      }
    }
    return Status::OK();
  }

  Status ReadRows(const lake::Table& table, const DataFile& file) {
    const bool bronze = table.path() != world_->layout.quarantine_table;
    std::vector<std::string> names = tables::CoordinateColumns::Names();
    names.emplace_back(bronze ? "id" : tables::kValue);
    ARROW_ASSIGN_OR_RAISE(const auto read, lake::ReadDataFile(table.store(), table.path(), file,
                                                              table.snapshot()->schema(), names));
    ARROW_ASSIGN_OR_RAISE(const auto rows, read->CombineChunksToBatch());
    ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(*rows));
    std::shared_ptr<arrow::Int64Array> ids;      // In Bronze.
    std::shared_ptr<arrow::BinaryArray> values;  // In quarantine.
    if (bronze) {
      ARROW_ASSIGN_OR_RAISE(ids, tables::TypedColumn<arrow::Int64Array>(*rows, "id"));
    } else {
      ARROW_ASSIGN_OR_RAISE(values, tables::TypedColumn<arrow::BinaryArray>(*rows, tables::kValue));
    }
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      const auto at = coordinates.At(row);
      if (!at) return Status::Invalid(file.path, " has a row without coordinates");
      Sighting& sighting = seen_[std::string(at->topic_id)][{at->partition, at->offset}];
      if (bronze) {
        ++sighting.bronze;
        sighting.id = ids->Value(row);
        sighting.table = table.path() == world_->layout.table ? "" : table.path();
        continue;
      }
      ++sighting.quarantine;
      if (values->IsValid(row)) sighting.value = values->GetString(row);
    }
    return Status::OK();
  }

  // No version of Bronze claims to have everything through a time at which Kafka held more.
  Status CheckTimes() {
    lake::LogSpan span;
    ARROW_ASSIGN_OR_RAISE(span, lake::ReadLogSpan(store_.get(), world_->layout.table));
    tables::Txns known;
    for (int64_t version = 0; version <= span.newest; ++version) {
      ARROW_ASSIGN_OR_RAISE(const auto entry,
                            lake::ReadLogEntry(store_.get(), world_->layout.table, version));
      if (!entry) continue;  // Cleaned up.
      for (const lake::Txn& txn : entry->txns) known[txn.app_id] = txn.version;
      const bool claims = std::ranges::any_of(entry->txns, [](const lake::Txn& txn) {
        return txn.app_id.ends_with("/complete-through");
      });
      if (!claims) continue;
      const bool moves = std::ranges::any_of(
          entry->txns, [](const lake::Txn& txn) { return txn.app_id.starts_with("shopstream/"); });
      if (!moves) world_->trace.Count("ingest: heartbeat");
      CheckTimes(known, " in version " + std::to_string(version));
    }
    CheckTimes(bronze_->Txns(), "");
    for (int32_t partition = 0; partition < world_->kafka.partitions(); ++partition) {
      const auto state = tables::ReadPartitionState(bronze_->Txns(), world_->kafka.id(), partition);
      const int64_t least = world_->read_since_ms - world_->clocks_behind_ms - kHeartbeat;
      if (state.stopped() || state.complete_through_ms.value_or(0) >= least) continue;
      // The log may be shorter than what was read of it.
      const PartitionTruth& truth = world_->truth.at(world_->kafka.id())[partition];
      if (truth.lowest_cut != PartitionTruth::kNeverCut) continue;
      Fail("the time through which it is complete stands still: partition " +
           std::to_string(partition));
    }
    return Status::OK();
  }

  void CheckTimes(const tables::Txns& txns, const std::string& where) {
    for (const auto& [topic_id, partitions] : world_->truth) {
      for (size_t i = 0; i < partitions.size(); ++i) {
        const auto partition = static_cast<int32_t>(i);
        const auto state = tables::ReadPartitionState(txns, topic_id, partition);
        // What the log held before it was cut cannot be compared.
        const bool cut = partitions[i].lowest_cut != PartitionTruth::kNeverCut;
        if (cut || !state.next || !state.complete_through_ms) continue;
        const int64_t through = *state.complete_through_ms - world_->clocks_ahead_ms;
        if (partitions[i].EndBefore(through) <= *state.next) continue;
        Fail("complete through a time at which Kafka held more: topic " + topic_id + " partition " +
             std::to_string(partition) + where);
      }
    }
  }

  void Compare(const std::string& topic_id, int32_t partition, const PartitionTruth& truth) {
    const auto state = tables::ReadPartitionState(bronze_->Txns(), topic_id, partition);
    auto& places = seen_[topic_id];
    CheckState(topic_id, partition, truth, state);
    auto known = static_cast<int64_t>(truth.records.size());
    if (!truth.replaced.empty()) known = std::max(known, truth.replaced.rbegin()->first + 1);
    for (int64_t offset = 0; offset < known; ++offset) {
      const Place place{partition, offset};
      Sighting sighting;
      if (const auto found = places.find(place); found != places.end()) {
        sighting = found->second;
        places.erase(found);
      }
      std::string wrong = Twice(sighting);
      if (wrong.empty() && (state.stopped() || IsLost(state, offset))) {
        wrong = truth.replaced.contains(offset) ? UnlikeAny(truth, offset, sighting)
                                                : Differs(truth, offset, sighting, true);
      } else if (wrong.empty()) {
        // The log of a deleted topic can no longer be compared.
        wrong =
            (truth.deleted || IsBelowLogStart(topic_id, place)) && truth.replaced.contains(offset)
                ? UnlikeAny(truth, offset, sighting)
                : Differs(truth, offset, sighting, Excused(truth, state, topic_id, place));
      }
      if (wrong.empty()) continue;
      Fail(wrong + ": topic " + topic_id + Named(place) + ", " + std::to_string(sighting.bronze) +
           " times in Bronze, " + std::to_string(sighting.quarantine) + " times in quarantine" +
           (sighting.replayed ? ", replayed" : ""));
    }
  }

  // What the lake knows of a partition beside its rows.
  void CheckState(const std::string& topic_id, int32_t partition, const PartitionTruth& truth,
                  const tables::PartitionState& state) {
    const auto fail = [&](const char* what) {
      Fail(what + (": topic " + topic_id + " partition " + std::to_string(partition)));
    };
    if (!state.next) {
      if (!truth.deleted) fail("no progress at first sight");
      return;
    }
    if (!state.position.empty) return fail("no ledger of empty offsets");
    // Another record may have been found above the progress: a quarantined one.
    const int64_t differs = std::max(*state.next, state.stop.kafka_offset + 1);
    if (state.stopped() && truth.lowest_cut >= differs) fail("stopped without a reason");
    const bool cut = truth.lowest_cut != PartitionTruth::kNeverCut;
    if (cut) return;
    tables::EmptyOffsets empty{.from = state.position.empty->from, .to = *state.next};
    for (const int64_t offset : truth.aborted) {
      if (offset >= empty.from && offset < empty.to && !IsLost(state, offset)) {
        empty.Skip(offset, offset + 1);
      }
    }
    if (empty != *state.position.empty) fail("a wrong ledger of empty offsets");
  }

  static bool IsLost(const tables::PartitionState& state, int64_t offset) {
    return std::ranges::any_of(state.lost, [&](const OffsetRange& lost) {
      return offset >= lost.begin && offset < lost.end;
    });
  }

  bool IsBelowLogStart(const std::string& topic_id, const Place& place) const {
    return topic_id == world_->kafka.id() &&
           place.second < world_->kafka.log(place.first).log_start;
  }

  // Whether a record may be missing. One that expired unread is lost, and the lake says so, unless
  // it did not know the partition then.
  bool Excused(const PartitionTruth& truth, const tables::PartitionState& state,
               const std::string& topic_id, const Place& place) const {
    const int64_t offset = place.second;
    if (truth.deleted) return true;
    // Nothing is left in Kafka that shows how deep it was cut.
    if (offset >= truth.lowest_cut && IsBelowLogStart(topic_id, place)) return true;
    return truth.expired.contains(offset) && state.position.empty &&
           offset < state.position.empty->from;
  }

  // A row that is none of the records that the offset ever had.
  static std::string UnlikeAny(const PartitionTruth& truth, int64_t offset,
                               const Sighting& sighting) {
    const std::vector<ProducedRecord>& replaced = truth.replaced.at(offset);
    if (std::ranges::any_of(replaced, [&](const ProducedRecord& record) {
          return Differs(record, sighting, true).empty();
        })) {
      return "";
    }
    const bool present = offset < std::ssize(truth.records) && !truth.aborted.contains(offset);
    if (present) return Differs(truth.records[offset], sighting, true);
    return sighting.bronze + sighting.quarantine == 0 ? "" : "a row without a record";
  }

  static std::string Twice(const Sighting& sighting) {
    if (sighting.replayed && sighting.bronze == 0) return "a replayed record lost";
    const bool once = sighting.bronze <= 1 && sighting.quarantine <= 1 &&
                      (sighting.bronze + sighting.quarantine <= 1 || sighting.replayed);
    return once ? "" : "a record twice";
  }

  static std::string Differs(const PartitionTruth& truth, int64_t offset, const Sighting& sighting,
                             bool may_be_missing) {
    const bool seen = sighting.bronze + sighting.quarantine > 0;
    if (offset >= std::ssize(truth.records)) return seen ? "a record that Kafka lost" : "";
    if (truth.aborted.contains(offset)) return seen ? "a record that was aborted" : "";
    return Differs(truth.records[offset], sighting, may_be_missing);
  }

  static std::string Differs(const ProducedRecord& record, const Sighting& sighting,
                             bool may_be_missing) {
    using Fate = ProducedRecord::Fate;
    if (sighting.bronze + sighting.quarantine == 0) return may_be_missing ? "" : "a record lost";
    if (sighting.bronze == 1 && record.fate == Fate::kGarbage) return "garbage in Bronze";
    if (sighting.quarantine == 1 && record.fate == Fate::kRow) return "a good record in quarantine";
    if (sighting.bronze == 1 && sighting.id != record.id) return "another record's row";
    if (sighting.bronze == 1 && sighting.table != record.table) return "a row in another table";
    if (sighting.quarantine == 1 &&
        sighting.value != (record.value == nullptr ? std::nullopt : std::optional(*record.value))) {
      return "another record's value in quarantine";
    }
    return "";
  }

  static constexpr int64_t kHeartbeat = 61'000;

  World* const world_;
  const std::unique_ptr<lake::ObjectStore> store_;
  Sightings seen_;
  std::shared_ptr<const lake::Snapshot> bronze_;
};

}  // namespace

void Check(World* world) { Checker(world).Run(); }

}  // namespace shopstream::simulate
