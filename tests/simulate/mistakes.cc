#include "simulate/mistakes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json.h"
#include "simulate/forwarding_table.h"
#include "simulate/snapshot_view.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::simulate {
namespace {

using lake::Changes;
using lake::CommitOutcome;
using lake::CommitResult;
using lake::Prepare;
using lake::Refusal;
using lake::Snapshot;

// Shows txns where the cut of `changes` begins, although they are already inside it.
class RewoundSnapshot : public SnapshotView {
 public:
  RewoundSnapshot(const Snapshot& right, const Changes& changes) : SnapshotView(right) {
    const auto ranges = changes.info->find("kafkaOffsets");
    if (ranges == changes.info->end()) return;
    for (const auto& range : *ranges) {
      const std::string app_id = tables::ProgressAppId(changes.info->value("kafkaTopicId", ""),
                                                       range.value("partition", 0));
      const int64_t begin = range.value("begin", int64_t{0});
      const auto txn = right.Txn(app_id);
      if (txn && *txn >= begin && *txn < range.value("end", int64_t{0})) rewound_[app_id] = begin;
    }
  }
  std::optional<int64_t> Txn(const std::string& app_id) const override {
    const auto found = rewound_.find(app_id);
    return found == rewound_.end() ? SnapshotView::Txn(app_id) : found->second;
  }

 private:
  std::map<std::string, int64_t> rewound_;
};

// Shows the txns of a version without some of them.
class CensoredTxns : public OutdatedTxns {
 public:
  CensoredTxns(std::shared_ptr<const Snapshot> right, std::map<std::string, int64_t> txns)
      : OutdatedTxns(*right, std::move(txns)), right_(std::move(right)) {}

 private:
  const std::shared_ptr<const Snapshot> right_;
};

bool IsState(const std::string& app_id, std::initializer_list<std::string_view> names) {
  if (!app_id.starts_with("shopstream-state/")) return false;
  return std::ranges::any_of(names, [&](std::string_view name) {
    return app_id.find("/" + std::string(name)) != std::string::npos;
  });
}

class MistakenTable : public ForwardingTable {
 public:
  MistakenTable(Mistake mistake, std::unique_ptr<lake::Table> right)
      : ForwardingTable(std::move(right)), mistake_(mistake) {}

  std::shared_ptr<const Snapshot> snapshot() const override { return Seen(right_->snapshot()); }
  Result<std::shared_ptr<const Snapshot>> Refresh() override {
    ARROW_ASSIGN_OR_RAISE(auto snapshot, right_->Refresh());
    Remember(*snapshot);
    return Seen(std::move(snapshot));
  }
  Result<CommitResult> Commit(const Prepare& prepare, BootClock::time_point deadline) override {
    switch (mistake_) {
      case Mistake::kFenceByAtLeast:
        return RememberedAfter(right_->Commit(AtLeast(prepare), deadline));
      case Mistake::kOffsetsBeforeRows:
      case Mistake::kRowsBeforeOffsets:
        return InTwo(prepare, deadline);
      case Mistake::kBlindRetry:
        return Blindly(prepare, deadline);
      case Mistake::kMergeRegardless:
        return Regardless(prepare, deadline);
      case Mistake::kReplayWithoutFence:
        return right_->Commit(Unfenced(prepare), deadline);
      case Mistake::kSideWithoutFence:
        return RememberedAfter(right_->Commit(IsSide() ? Whoever(prepare) : prepare, deadline));
      case Mistake::kStopIsForgotten:
      case Mistake::kNoFirstSight:
      case Mistake::kLossInCommitInfoAlone:
        return right_->Commit(Forgetful(prepare), deadline);
      default:
        return right_->Commit(prepare, deadline);
    }
  }

 private:
  std::shared_ptr<const Snapshot> Seen(std::shared_ptr<const Snapshot> snapshot) const {
    if (mistake_ == Mistake::kNoHistoryCheck || mistake_ == Mistake::kEpochAlone) {
      std::map<std::string, int64_t> txns = snapshot->Txns();
      std::erase_if(txns, [this](const auto& txn) {
        return mistake_ == Mistake::kEpochAlone
                   ? IsState(txn.first, {"last-hash", "last-timestamp"})
                   : IsState(txn.first, {"last-", "end-epoch"});
      });
      return std::make_shared<CensoredTxns>(std::move(snapshot), std::move(txns));
    }
    const bool quarantine = path().find("quarantine") != std::string::npos;
    if (mistake_ != Mistake::kNoSkipSet || !(quarantine || IsSide())) return snapshot;
    return std::make_shared<FilelessSnapshot>(std::move(snapshot));
  }

  bool IsSide() const { return path().starts_with(std::string(tables::kBronzePath) + "-"); }

  // With the txns of any version seen: one of them is what the writer expects.
  Prepare Whoever(const Prepare& prepare) {
    Remember(*right_->snapshot());
    return [this, &prepare](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      for (auto txns = txns_.rbegin(); prepared.ok() && txns != txns_.rend(); ++txns) {
        if (ChangesIn(&prepared) != nullptr) break;
        prepared = prepare(OutdatedTxns(snapshot, *txns));
      }
      return prepared;
    };
  }

  // A cut's range is visible only in its changes. If this version refuses the cut, an earlier
  // version that accepts it shows them.
  Prepare AtLeast(const Prepare& prepare) {
    Remember(*right_->snapshot());
    return [this, &prepare](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      for (auto txns = txns_.rbegin(); prepared.ok() && txns != txns_.rend(); ++txns) {
        if (const Changes* changes = ChangesIn(&prepared)) {
          return prepare(RewoundSnapshot(snapshot, *changes));
        }
        prepared = prepare(OutdatedTxns(snapshot, *txns));
      }
      const Changes* changes = ChangesIn(&prepared);
      return changes == nullptr ? prepare(snapshot) : prepare(RewoundSnapshot(snapshot, *changes));
    };
  }
  Result<CommitResult> RememberedAfter(Result<CommitResult> result) {
    Remember(*right_->snapshot());
    return result;
  }
  void Remember(const Snapshot& snapshot) {
    if (mistake_ != Mistake::kFenceByAtLeast && mistake_ != Mistake::kSideWithoutFence) return;
    if (txns_.empty() || txns_.back() != snapshot.Txns()) txns_.push_back(snapshot.Txns());
  }

  // Some of the txns are left out.
  Prepare Forgetful(const Prepare& prepare) const {
    return [this, &prepare](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      Changes* changes = ChangesIn(&prepared);
      if (changes == nullptr) return prepared;
      const bool rows = !changes->adds.empty();
      std::erase_if(changes->txns, [&](const auto& txn) {
        switch (mistake_) {
          case Mistake::kStopIsForgotten:
            return IsState(txn.first, {"stop-"});
          case Mistake::kLossInCommitInfoAlone:
            return IsState(txn.first, {"lost/"});
          default:
            return !rows && !snapshot.Txn(txn.first);
        }
      });
      return prepared;
    };
  }

  static bool IsReplay(const Changes& changes) {
    return changes.info->contains("replayedFromQuarantine");
  }

  // With the txns of the version for which the rows were selected.
  Prepare Unfenced(const Prepare& prepare) {
    return [&prepare, txns = right_->snapshot()->Txns()](const Snapshot& snapshot) {
      Prepared unfenced = prepare(OutdatedTxns(snapshot, txns));
      const Changes* changes = ChangesIn(&unfenced);
      return changes != nullptr && IsReplay(*changes) ? unfenced : prepare(snapshot);
    };
  }

  Result<CommitResult> InTwo(const Prepare& prepare, BootClock::time_point deadline) {
    std::map<std::string, int64_t> txns;
    bool divided = false;
    const auto part = [&](Prepared prepared, bool rows) {
      Changes* changes = ChangesIn(&prepared);
      divided = changes != nullptr && !changes->adds.empty() && !changes->txns.empty() &&
                !IsReplay(*changes);
      if (!divided) return prepared;
      if (rows) {
        changes->txns.clear();
      } else {
        changes->adds.clear();
        changes->growth.reset();
      }
      return prepared;
    };
    const bool rows_first = mistake_ == Mistake::kRowsBeforeOffsets;
    const auto first = [&](const Snapshot& snapshot) {
      txns = snapshot.Txns();
      return part(prepare(snapshot), rows_first);
    };
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(first, deadline));
    if (!divided || result.outcome != CommitOutcome::kCommitted) return result;
    const auto second = [&](const Snapshot& snapshot) {
      return part(prepare(OutdatedTxns(snapshot, txns)), !rows_first);
    };
    return right_->Commit(second, deadline);
  }

  Result<CommitResult> Blindly(const Prepare& prepare, BootClock::time_point deadline) {
    Changes again;
    const auto watched = [&](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      if (const Changes* changes = ChangesIn(&prepared)) again = *changes;
      return prepared;
    };
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(watched, deadline));
    if (result.outcome != CommitOutcome::kUnknown) return result;
    again.growth.reset();
    // The rows must be written again too; otherwise the same files would be named twice.
    for (DataFile& file : again.adds) {
      ARROW_ASSIGN_OR_RAISE(const auto content, store()->Get(path() + "/" + file.path));
      if (content == nullptr) return result;
      file.path.insert(file.path.rfind('.'), "-again");
      ARROW_RETURN_NOT_OK(store()->Put(path() + "/" + file.path, *content));
    }
    return right_->Commit(lake::Unconditionally(std::move(again)), deadline + Millis{10'000});
  }

  Result<CommitResult> Regardless(const Prepare& prepare, BootClock::time_point deadline) {
    bool removes = false;
    const auto watched = [&](const Snapshot& snapshot) {
      Prepared prepared = prepare(snapshot);
      if (const Changes* changes = ChangesIn(&prepared)) removes = !changes->removes.empty();
      return prepared;
    };
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(watched, deadline));
    if (result.outcome != CommitOutcome::kConflict || !removes) return result;
    return CommitLiveRemoves(right_.get(), prepare, deadline);
  }

  const Mistake mistake_;
  std::vector<std::map<std::string, int64_t>> txns_;  // Of the versions seen, oldest first.
};

// How some programs use a store without conditional puts: check, then put.
class ReplacingStore : public lake::ObjectStore {
 public:
  explicit ReplacingStore(std::unique_ptr<lake::ObjectStore> right) : right_(std::move(right)) {}
  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    return right_->Get(path);
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override {
    return right_->OpenInput(path);
  }
  Status Put(const std::string& path, const arrow::Buffer& content) override {
    return right_->Put(path, content);
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override {
    return right_->OpenOutput(path);
  }
  Result<lake::PutOutcome> PutIfAbsent(const std::string& path,
                                       const arrow::Buffer& content) override {
    ARROW_ASSIGN_OR_RAISE(const auto there, right_->Get(path));
    if (there != nullptr) return lake::PutOutcome::kExists;
    ARROW_RETURN_NOT_OK(right_->Put(path, content));
    return lake::PutOutcome::kCreated;
  }
  Result<std::vector<lake::ObjectEntry>> List(const std::string& prefix,
                                              const std::string& after) override {
    return right_->List(prefix, after);
  }
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override {
    return right_->ListFolders(folder);
  }
  Status Delete(const std::string& path) override { return right_->Delete(path); }
  Result<int64_t> Now() override { return right_->Now(); }
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) override {
    return right_->RemoveAbandonedWrites(min_age);
  }
  std::string Describe() const override { return right_->Describe(); }

 private:
  const std::unique_ptr<lake::ObjectStore> right_;
};

class HastyRegistry : public registry::SchemaSource {
 public:
  HastyRegistry(Mistake mistake, registry::SchemaSource* right)
      : mistake_(mistake), right_(right) {}
  registry::LookUp ById(int32_t id) override {
    registry::LookUp answer = right_->ById(id);
    if (mistake_ == Mistake::kOutageIsAVerdict &&
        answer.outcome == registry::LookUpOutcome::kUnavailable) {
      answer.outcome = registry::LookUpOutcome::kUnknown;
    }
    return answer;
  }
  Result<registry::RegisteredSchema> Latest(const std::string& subject) override {
    return right_->Latest(subject);
  }

 private:
  const Mistake mistake_;
  registry::SchemaSource* const right_;
};

}  // namespace

std::string_view Name(Mistake mistake) {
  switch (mistake) {
    case Mistake::kNone:
      return "none";
    case Mistake::kFenceByAtLeast:
      return "fence-by-at-least";
    case Mistake::kOffsetsBeforeRows:
      return "offsets-before-rows";
    case Mistake::kRowsBeforeOffsets:
      return "rows-before-offsets";
    case Mistake::kBlindRetry:
      return "blind-retry";
    case Mistake::kNoVacuumMargin:
      return "no-vacuum-margin";
    case Mistake::kNoSkipSet:
      return "no-skip-set";
    case Mistake::kTopicIdAskedOnce:
      return "topic-id-asked-once";
    case Mistake::kPutReplaces:
      return "put-replaces";
    case Mistake::kReadUncommitted:
      return "read-uncommitted";
    case Mistake::kMergeRegardless:
      return "merge-regardless";
    case Mistake::kReplayWithoutFence:
      return "replay-without-fence";
    case Mistake::kOutageIsAVerdict:
      return "outage-is-a-verdict";
    case Mistake::kNoHistoryCheck:
      return "no-history-check";
    case Mistake::kEpochAlone:
      return "epoch-alone";
    case Mistake::kValidatesWithTheLastEpoch:
      return "validates-with-the-last-epoch";
    case Mistake::kStopIsForgotten:
      return "stop-is-forgotten";
    case Mistake::kNoFirstSight:
      return "no-first-sight";
    case Mistake::kLossInCommitInfoAlone:
      return "loss-in-commit-info-alone";
    case Mistake::kCorruptBatchSkipped:
      return "corrupt-batch-skipped";
    case Mistake::kSideWithoutFence:
      return "side-without-fence";
    case Mistake::kEndsFromACache:
      return "ends-from-a-cache";
  }
  return "";
}

std::unique_ptr<lake::ObjectStore> Mistaken(Mistake mistake,
                                            std::unique_ptr<lake::ObjectStore> right) {
  if (mistake != Mistake::kPutReplaces) return right;
  return std::make_unique<ReplacingStore>(std::move(right));
}

std::unique_ptr<lake::Table> Mistaken(Mistake mistake, std::unique_ptr<lake::Table> right) {
  return std::make_unique<MistakenTable>(mistake, std::move(right));
}

std::unique_ptr<registry::SchemaSource> Mistaken(Mistake mistake, registry::SchemaSource* right) {
  return std::make_unique<HastyRegistry>(mistake, right);
}

}  // namespace shopstream::simulate
