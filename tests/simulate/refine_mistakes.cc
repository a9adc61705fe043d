#include "simulate/refine_mistakes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulate/forwarding_table.h"
#include "simulate/snapshot_view.h"

namespace shopstream::simulate {
namespace {

using lake::Changes;
using lake::CommitOutcome;
using lake::CommitResult;
using lake::Prepare;
using lake::Snapshot;

constexpr char kPassApp[] = "shopstream-refine";
constexpr char kReplayedProperties[] = "shopstream.refine.replayed.";

class AnnouncingTable : public ForwardingTable {
 public:
  AnnouncingTable(std::function<Status(const Changes&)> before, std::unique_ptr<lake::Table> right)
      : ForwardingTable(std::move(right)), before_(std::move(before)) {}
  Result<CommitResult> Commit(const Prepare& prepare, BootClock::time_point deadline) override {
    Prepared prepared = prepare(*snapshot());
    if (const Changes* changes = ChangesIn(&prepared)) ARROW_RETURN_NOT_OK(before_(*changes));
    return right_->Commit(prepare, deadline);
  }

 private:
  const std::function<Status(const Changes&)> before_;
};

class MistakenRefineTable : public ForwardingTable {
 public:
  MistakenRefineTable(RefineMistake mistake, std::unique_ptr<lake::Table> right)
      : ForwardingTable(std::move(right)), mistake_(mistake) {}

  std::shared_ptr<const Snapshot> snapshot() const override { return Seen(right_->snapshot()); }
  Result<std::shared_ptr<const Snapshot>> Refresh() override {
    ARROW_ASSIGN_OR_RAISE(auto snapshot, right_->Refresh());
    Remember(*snapshot);
    return Seen(std::move(snapshot));
  }
  Result<CommitResult> Commit(const Prepare& prepare, BootClock::time_point deadline) override {
    switch (mistake_) {
      case RefineMistake::kPassByAtLeast:
        return right_->Commit(AtLeast(prepare), deadline);
      case RefineMistake::kEndsBeforeRows:
        return InTwo(prepare, deadline);
      case RefineMistake::kGoldRegardless:
        return Regardless(prepare, deadline);
      case RefineMistake::kReplaysForgotten:
      case RefineMistake::kLateDatesDropped:
        return right_->Commit(Lossy(prepare), deadline);
      default:
        return right_->Commit(prepare, deadline);
    }
  }

 private:
  std::shared_ptr<const Snapshot> Seen(std::shared_ptr<const Snapshot> snapshot) const {
    if (mistake_ != RefineMistake::kFinishesWithoutRejects) return snapshot;
    return std::make_shared<FilelessSnapshot>(std::move(snapshot));
  }

  void Remember(const Snapshot& snapshot) {
    if (txns_.empty() || txns_.back() != snapshot.Txns()) txns_.push_back(snapshot.Txns());
  }

  // If this version refuses the pass, an earlier one that accepts it is good enough.
  Prepare AtLeast(const Prepare& prepare) {
    return [this, &prepare](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      for (auto txns = txns_.rbegin(); prepared.ok() && txns != txns_.rend(); ++txns) {
        if (ChangesIn(&prepared) != nullptr) break;
        prepared = prepare(OutdatedTxns(snapshot, *txns));
      }
      return prepared;
    };
  }

  Result<CommitResult> InTwo(const Prepare& prepare, BootClock::time_point deadline) {
    std::optional<Changes> rows;
    const auto ends = [&](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      Changes* const changes = ChangesIn(&prepared);
      rows.reset();
      if (changes == nullptr || changes->adds.empty() || !changes->txns.contains(kPassApp)) {
        return prepared;
      }
      rows = *changes;
      changes->adds.clear();
      return prepared;
    };
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(ends, deadline));
    if (!rows || result.outcome != CommitOutcome::kCommitted) return result;
    rows->txns.clear();
    return right_->Commit(lake::Unconditionally(*std::move(rows)), deadline);
  }

  Result<CommitResult> Regardless(const Prepare& prepare, BootClock::time_point deadline) {
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(prepare, deadline));
    if (result.outcome != CommitOutcome::kConflict) return result;
    return CommitLiveRemoves(right_.get(), prepare, deadline);
  }

  Prepare Lossy(const Prepare& prepare) const {
    return [this, &prepare](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      Changes* const changes = ChangesIn(&prepared);
      if (changes == nullptr) return prepared;
      if (mistake_ == RefineMistake::kLateDatesDropped) DropLateDates(&changes->adds);
      if (mistake_ == RefineMistake::kReplaysForgotten && changes->growth) {
        std::erase_if(changes->growth->properties,
                      [](const auto& item) { return item.first.starts_with(kReplayedProperties); });
      }
      return prepared;
    };
  }

  static void DropLateDates(std::vector<DataFile>* files) {
    const auto date = [](const DataFile& file) {
      return file.partition_values.back().second.value_or("");
    };
    std::string newest;
    for (const DataFile& file : *files) newest = std::max(newest, date(file));
    std::erase_if(*files, [&](const DataFile& file) { return date(file) < newest; });
  }

  const RefineMistake mistake_;
  std::vector<std::map<std::string, int64_t>> txns_;  // Of the versions seen, oldest first.
};

bool IsMadeBy(RefineMistake mistake, TableKind kind) {
  switch (mistake) {
    case RefineMistake::kPassByAtLeast:
      return true;
    case RefineMistake::kEndsBeforeRows:
    case RefineMistake::kReplaysForgotten:
      return kind != TableKind::kGold;
    case RefineMistake::kGoldRegardless:
      return kind == TableKind::kGold;
    case RefineMistake::kFinishesWithoutRejects:
      return kind == TableKind::kRejects;
    case RefineMistake::kLateDatesDropped:
      return kind == TableKind::kSilver;
    default:
      return false;
  }
}

}  // namespace

std::string_view Name(RefineMistake mistake) {
  switch (mistake) {
    case RefineMistake::kNone:
      return "none";
    case RefineMistake::kPassByAtLeast:
      return "pass-by-at-least";
    case RefineMistake::kEndsBeforeRows:
      return "ends-before-rows";
    case RefineMistake::kGoldRegardless:
      return "gold-regardless";
    case RefineMistake::kReplaysForgotten:
      return "replays-forgotten";
    case RefineMistake::kFinishesWithoutRejects:
      return "finishes-without-rejects";
    case RefineMistake::kIndexAheadOfSilver:
      return "index-ahead-of-silver";
    case RefineMistake::kPowerLossUnnoticed:
      return "power-loss-unnoticed";
    case RefineMistake::kLateDatesDropped:
      return "late-dates-dropped";
  }
  return "";
}

std::unique_ptr<lake::Table> Mistaken(RefineMistake mistake, TableKind kind,
                                      std::unique_ptr<lake::Table> right) {
  if (!IsMadeBy(mistake, kind)) return right;
  return std::make_unique<MistakenRefineTable>(mistake, std::move(right));
}

std::unique_ptr<lake::Table> Announcing(std::function<Status(const Changes&)> before,
                                        std::unique_ptr<lake::Table> right) {
  return std::make_unique<AnnouncingTable>(std::move(before), std::move(right));
}

}  // namespace shopstream::simulate
