#include "simulate/mistakes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "model/lake_names.h"

namespace shopstream::simulate {
namespace {

using lake::CommitOutcome;
using lake::CommitResult;
using lake::Snapshot;
using lake::Transaction;

using Legal = std::function<bool(const Snapshot&)>;

// A snapshot seen through another's eyes.
class SnapshotView : public Snapshot {
 public:
  explicit SnapshotView(const Snapshot& right) : right_(right) {}
  int64_t version() const override { return right_.version(); }
  const std::shared_ptr<arrow::Schema>& schema() const override { return right_.schema(); }
  const std::vector<std::string>& partition_columns() const override {
    return right_.partition_columns();
  }
  const std::map<std::string, std::string>& properties() const override {
    return right_.properties();
  }
  std::optional<int64_t> Txn(const std::string& app_id) const override {
    return right_.Txn(app_id);
  }
  const std::map<std::string, int64_t>& Txns() const override { return right_.Txns(); }
  std::vector<DataFile> Files() const override { return right_.Files(); }
  void VisitFiles(const std::function<void(const DataFile&)>& visit) const override {
    right_.VisitFiles(visit);
  }
  int64_t file_count() const override { return right_.file_count(); }
  void VisitRemoved(const std::function<void(const std::string& path, int64_t removed_ms)>& visit)
      const override {
    right_.VisitRemoved(visit);
  }

 private:
  const Snapshot& right_;
};

// One that shows no files.
class FilelessSnapshot : public SnapshotView {
 public:
  explicit FilelessSnapshot(std::shared_ptr<const Snapshot> right)
      : SnapshotView(*right), right_(std::move(right)) {}
  std::vector<DataFile> Files() const override { return {}; }
  void VisitFiles(const std::function<void(const DataFile&)>&) const override {}
  int64_t file_count() const override { return 0; }

 private:
  const std::shared_ptr<const Snapshot> right_;
};

// One whose txns stand where a cut begins, though they have moved on inside of it.
class RewoundSnapshot : public SnapshotView {
 public:
  RewoundSnapshot(const Snapshot& right, const Transaction& transaction) : SnapshotView(right) {
    const auto ranges = transaction.info->find("kafkaOffsets");
    if (ranges == transaction.info->end()) return;
    for (const auto& range : *ranges) {
      const std::string app_id =
          ProgressAppId(transaction.info->value("kafkaTopicId", ""), range.value("partition", 0));
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

class MistakenTable : public lake::Table {
 public:
  MistakenTable(Mistake mistake, std::unique_ptr<lake::Table> right)
      : mistake_(mistake), right_(std::move(right)) {}

  const std::string& path() const override { return right_->path(); }
  lake::ObjectStore* store() const override { return right_->store(); }
  std::shared_ptr<const Snapshot> snapshot() const override { return Seen(right_->snapshot()); }
  Result<std::shared_ptr<const Snapshot>> Refresh() override {
    ARROW_ASSIGN_OR_RAISE(auto snapshot, right_->Refresh());
    return Seen(std::move(snapshot));
  }
  Result<CommitResult> Commit(const Transaction& transaction, const Legal& legal,
                              BootClock::time_point deadline) override {
    switch (mistake_) {
      case Mistake::kFenceByAtLeast:
        return right_->Commit(transaction, AtLeast(transaction, legal), deadline);
      case Mistake::kOffsetsBeforeRows:
      case Mistake::kRowsBeforeOffsets:
        return InTwo(transaction, legal, deadline);
      case Mistake::kBlindRetry:
        return Blindly(transaction, legal, deadline);
      case Mistake::kMergeRegardless:
        return Regardless(transaction, legal, deadline);
      case Mistake::kReplayWithoutFence:
        return right_->Commit(transaction, Unfenced(transaction, legal), deadline);
      default:
        return right_->Commit(transaction, legal, deadline);
    }
  }

 private:
  std::shared_ptr<const Snapshot> Seen(std::shared_ptr<const Snapshot> snapshot) const {
    const bool quarantine = path().find("quarantine") != std::string::npos;
    if (mistake_ != Mistake::kNoSkipSet || !quarantine) return snapshot;
    return std::make_shared<FilelessSnapshot>(std::move(snapshot));
  }

  static Legal AtLeast(const Transaction& transaction, const Legal& legal) {
    return [&transaction, &legal](const Snapshot& snapshot) {
      return legal(RewoundSnapshot(snapshot, transaction));
    };
  }

  static bool IsReplay(const Transaction& transaction) {
    return transaction.info->contains("replayedFromQuarantine");
  }

  Legal Unfenced(const Transaction& transaction, const Legal& legal) {
    if (!IsReplay(transaction)) return legal;
    // As it was when the rows were chosen.
    const std::shared_ptr<const Snapshot> chosen = right_->snapshot();
    return [&legal, chosen](const Snapshot&) { return legal(*chosen); };
  }

  Result<CommitResult> InTwo(const Transaction& transaction, const Legal& legal,
                             BootClock::time_point deadline) {
    if (transaction.adds.empty() || transaction.txns.empty() || IsReplay(transaction)) {
      return right_->Commit(transaction, legal, deadline);
    }
    Transaction rows = transaction, offsets = transaction;
    rows.txns.clear();
    offsets.adds.clear();
    offsets.grow = nullptr;
    const bool rows_first = mistake_ == Mistake::kRowsBeforeOffsets;
    const Transaction& first = rows_first ? rows : offsets;
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(first, legal, deadline));
    if (result.outcome != CommitOutcome::kCommitted) return result;
    const Legal always = [&](const Snapshot& snapshot) { return legal(snapshot) || true; };
    return right_->Commit(rows_first ? offsets : rows, always, deadline);
  }

  Result<CommitResult> Blindly(const Transaction& transaction, const Legal& legal,
                               BootClock::time_point deadline) {
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(transaction, legal, deadline));
    if (result.outcome != CommitOutcome::kUnknown) return result;
    Transaction again = transaction;
    again.grow = nullptr;
    // Its rows are written anew too; the same files would only be named twice.
    for (DataFile& file : again.adds) {
      ARROW_ASSIGN_OR_RAISE(const auto content, store()->Get(path() + "/" + file.path));
      if (content == nullptr) return result;
      file.path.insert(file.path.rfind('.'), "-again");
      ARROW_RETURN_NOT_OK(store()->Put(path() + "/" + file.path, *content));
    }
    return right_->Commit(
        again, [](const Snapshot&) { return true; }, deadline + Millis{10'000});
  }

  Result<CommitResult> Regardless(const Transaction& transaction, const Legal& legal,
                                  BootClock::time_point deadline) {
    ARROW_ASSIGN_OR_RAISE(CommitResult result, right_->Commit(transaction, legal, deadline));
    if (result.outcome != CommitOutcome::kConflict || transaction.removes.empty()) return result;
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, right_->Refresh());
    std::vector<std::string> live;
    for (const DataFile& file : snapshot->Files()) live.push_back(file.path);
    Transaction rest = transaction;
    std::erase_if(rest.removes, [&](const DataFile& file) {
      return !std::binary_search(live.begin(), live.end(), file.path);
    });
    return right_->Commit(rest, legal, deadline);
  }

  const Mistake mistake_;
  const std::unique_ptr<lake::Table> right_;
};

// As a store without conditional puts is used by some: a look, and then a put.
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

class RememberingMetadata : public kafka::TopicMetadata {
 public:
  explicit RememberingMetadata(std::unique_ptr<kafka::TopicMetadata> right)
      : right_(std::move(right)) {}
  Result<std::optional<kafka::TopicState>> DescribeTopic(const std::string& name,
                                                         bool with_configs) override {
    ARROW_ASSIGN_OR_RAISE(auto state, right_->DescribeTopic(name, with_configs));
    if (!state) return state;
    if (id_.empty()) id_ = state->id;
    state->id = id_;
    return state;
  }
  Result<std::vector<kafka::OffsetSpan>> OffsetSpans(const std::string& topic,
                                                     int partitions) override {
    return right_->OffsetSpans(topic, partitions);
  }

 private:
  const std::unique_ptr<kafka::TopicMetadata> right_;
  std::string id_;
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

std::unique_ptr<kafka::TopicMetadata> Mistaken(Mistake mistake,
                                               std::unique_ptr<kafka::TopicMetadata> right) {
  if (mistake != Mistake::kTopicIdAskedOnce) return right;
  return std::make_unique<RememberingMetadata>(std::move(right));
}

std::unique_ptr<registry::SchemaSource> Mistaken(Mistake mistake, registry::SchemaSource* right) {
  return std::make_unique<HastyRegistry>(mistake, right);
}

}  // namespace shopstream::simulate
