#include "lake/delta/table.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/log.h"
#include "lake/delta/checkpointer.h"
#include "lake/delta/column_merge.h"
#include "lake/delta/commit_entry.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/entry_lander.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_state.h"
#include "lake/store/put_proof.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

constexpr Millis kCreateTimeout{30000};
// A commit that takes longer may have been suspended, while someone restored the table.
constexpr Millis kSuspected{2000};
constexpr int64_t kTrimInterval = 100;  // Versions between two removals of expired tombstones.
// They stay for another retention, at most this long, so that DeleteExpired (lake/upkeep) finds
// them.
constexpr int64_t kTombstoneGraceMs = 600'000;

// A state lives as long as its program, so files removed by others must not accumulate in it.
std::shared_ptr<const TableState> WithoutExpiredTombstones(
    std::shared_ptr<const TableState> state) {
  if (state->tombstone_count() == 0) return state;
  auto trimmed = std::make_shared<TableState>(*state);
  const int64_t grace_ms = std::min(kTombstoneGraceMs, TombstoneRetentionMs(state->properties()));
  trimmed->DropExpiredTombstones(WallClockMillis() - grace_ms);
  return trimmed;
}

CommitResult Ended(CommitOutcome outcome, std::string detail) {
  CommitResult result;
  result.outcome = outcome;
  result.detail = std::move(detail);
  return result;
}

// --- The table -----------------------------------------------------------------------------------

class DeltaTable : public Table {
 public:
  DeltaTable(ObjectStore* store, std::string path, LoadedState loaded,
             BootClock::time_point loaded_at)
      : store_(store),
        path_(std::move(path)),
        writer_({loaded.state->schema(), loaded.state->partition_columns()}),
        newest_({std::move(loaded.state), loaded_at}),
        checkpointer_(store, path_, loaded.checkpoint_version) {}

  // From now on commits are checked against these columns instead of those found at opening.
  Status Expect(const TableSpec& spec) {
    ARROW_RETURN_NOT_OK(CheckPartitioning(writer_.partition_columns, spec.partition_columns));
    ARROW_RETURN_NOT_OK(CheckColumns(*writer_.schema, *spec.schema));
    writer_.schema = spec.schema;
    const std::lock_guard lock(mutex_);
    WarnOfRetention(*newest_.state);
    return CheckWritable(*newest_.state);
  }

  const std::string& path() const override { return path_; }
  ObjectStore* store() const override { return store_; }
  std::shared_ptr<const Snapshot> snapshot() const override { return Newest().state; }
  Result<std::shared_ptr<const Snapshot>> Refresh() override {
    ARROW_ASSIGN_OR_RAISE(const Seen newest, ReadNewest());
    return newest.state;
  }
  Result<CommitResult> Commit(const Prepare& prepare, BootClock::time_point deadline) override;

 private:
  // A state, and when it was last known to be the newest.
  struct Seen {
    std::shared_ptr<const TableState> state;
    BootClock::time_point at;

    BootClock::time_point expires() const { return at + kStateLifetime; }
  };

  // How one attempt of a commit ended.
  struct Attempt {
    std::optional<CommitResult> result;  // Nothing: try again.
    bool overtaken = false;              // Another writer's entry took the version.
  };

  Seen Newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }
  Result<Seen> ReadNewest();
  // Loads the table as if opened now. Invalid: it was deleted, or another one has replaced it.
  // `disproved`: the entry of the known version is no longer there, so its state is discarded.
  Result<Seen> Reload(const Seen& known, bool disproved = false);
  // Whether the log still has the entry of the state's version from which the state was built. Also
  // false if the state does not know its entry: then nothing is proved.
  Result<bool> EntryStands(const TableState& state);
  // Keeps the newer of the known state and the one just seen, and returns it.
  Seen Adopt(Seen seen);
  // The newest known state, reloaded if it is too old to build on or if its entry was replaced.
  // Errors: as Reload.
  Result<Seen> Fresh();
  // After `written` has landed slowly: whether the table is still the one that it was built on. If
  // not, its entry belongs to nobody, and is deleted. Errors: as Reload.
  Status CheckNotReplaced(const Seen& base, const TableState& written);
  // Builds on `base`, which was looked at then, and writes the next version.
  Result<Attempt> TryCommit(const Seen& base, BootClock::time_point looked_at,
                            const Prepare& prepare, const std::string& id,
                            BootClock::time_point deadline);
  // Warns once for each value that is not understood. With mutex_.
  void WarnOfRetention(const TableState& state);
  Status Annotate(const Status& status) const {
    return status.ok() ? status : status.WithMessage("table ", path_, ": ", status.message());
  }

  ObjectStore* const store_;
  const std::string path_;
  WriterView writer_;  // Set before the table is shared.

  mutable std::mutex mutex_;
  Seen newest_;                   // Guarded by mutex_.
  int64_t trimmed_version_ = 0;   // Where expired tombstones were last dropped. By mutex_.
  std::set<std::string> warned_;  // By mutex_.
  Checkpointer checkpointer_;
};

Result<DeltaTable::Seen> DeltaTable::ReadNewest() {
  const Seen known = Newest();
  const auto now = BootClock::now();
  if (now < known.expires()) {
    auto advanced = AdvanceState(store_, path_, known.state);
    if (!advanced.ok()) return Annotate(advanced.status());
    if (*advanced == known.state) return Adopt({*std::move(advanced), now});
    if (*advanced != nullptr) {
      // Checked after the newer entries were read, because they may be another table's.
      ARROW_ASSIGN_OR_RAISE(const bool stands, EntryStands(*known.state));
      if (!stands) return Reload(known, /*disproved=*/true);
      return Adopt({*std::move(advanced), now});
    }
  }
  return Reload(known);
}

Result<DeltaTable::Seen> DeltaTable::Reload(const Seen& known, bool disproved) {
  const auto now = BootClock::now();
  auto read = LoadState(store_, path_);
  if (read.status().IsKeyError()) {
    return Status::Invalid("table ", path_, " is gone: it was at version ", known.state->version(),
                           ", now ", store_->Describe(),
                           " has no such table. Nothing was committed. ",
                           "Restore it, or start this program again to begin a new one");
  }
  ARROW_ASSIGN_OR_RAISE(LoadedState loaded, std::move(read));
  if (loaded.state->metadata().id != known.state->metadata().id) {
    return Status::Invalid("table ", path_, " was replaced by another one: its metaData.id is ",
                           loaded.state->metadata().id, ", it was ", known.state->metadata().id,
                           ". Nothing was committed. Start this program again: the new table has ",
                           "its own progress");
  }
  if (loaded.state->version() < known.state->version()) {
    return Status::Invalid("table ", path_, " ends at version ", loaded.state->version(),
                           " but was at ", known.state->version(),
                           " before: it was replaced or restored; start this program again");
  }
  checkpointer_.Saw(loaded.checkpoint_version);
  {
    const std::lock_guard lock(mutex_);
    // Another thread's newer state has been checked by that thread.
    if (disproved && newest_.state == known.state) newest_ = {loaded.state, now};
  }
  return Adopt({std::move(loaded.state), now});
}

DeltaTable::Seen DeltaTable::Adopt(Seen seen) {
  const std::lock_guard lock(mutex_);
  WarnOfRetention(*seen.state);
  if (seen.state->version() >= trimmed_version_ + kTrimInterval) {
    trimmed_version_ = seen.state->version();
    seen.state = WithoutExpiredTombstones(std::move(seen.state));
  }
  if (seen.state->version() > newest_.state->version()) {
    newest_ = std::move(seen);
  } else if (seen.state->version() == newest_.state->version()) {
    newest_.at = std::max(newest_.at, seen.at);
  }
  return newest_;
}

Result<DeltaTable::Seen> DeltaTable::Fresh() {
  const Seen known = Newest();
  if (BootClock::now() >= known.expires()) return ReadNewest();
  // In the folder of a deleted table a put would succeed and create something that nobody can open;
  // in the folder of another table it would lose records. A store that does not answer proves
  // nothing; the put will notice as well.
  const auto stands = EntryStands(*known.state);
  if (!stands.ok() || *stands) return known;
  return Reload(known, /*disproved=*/true);
}

Result<bool> DeltaTable::EntryStands(const TableState& state) {
  ARROW_ASSIGN_OR_RAISE(const auto entry, store_->Get(LogEntryPath(path_, state.version())));
  if (entry == nullptr || state.entry_digest() == 0) return false;
  if (EntryDigest(std::string_view(*entry)) == state.entry_digest()) return true;
  Log::Warn(
      "table {}: the entry of version {} is not the one that this program read or wrote: "
      "another engine replaced the entry or the table; reloading it",
      path_, state.version());
  return false;
}

Status DeltaTable::CheckNotReplaced(const Seen& base, const TableState& written) {
  ARROW_ASSIGN_OR_RAISE(const bool stands, EntryStands(*base.state));
  if (stands) return Status::OK();
  const Status replaced = Reload(base).status();
  if (!replaced.IsInvalid()) return replaced;
  // The new table's own entry of that version must stay.
  const std::string stray = LogEntryPath(path_, written.version());
  const auto entry = store_->Get(stray);
  const bool is_ours = entry.ok() && *entry != nullptr &&
                       EntryDigest(std::string_view(**entry)) == written.entry_digest();
  const Status deleted = is_ours ? store_->Delete(stray) : entry.status();
  if (!deleted.ok()) Log::Warn("table {}: {}", path_, deleted.message());
  return replaced;
}

// One attempt builds on the newest known version and writes the next one. It has one of four
// outcomes: it is committed; another writer took the version (read it, prepare again, and build on
// it); it is refused; or the store does not answer until the deadline.
Result<CommitResult> DeltaTable::Commit(const Prepare& prepare, BootClock::time_point deadline) {
  const std::string id = NewUuid();
  Pacer contention(Millis{2}, Millis{200}, deadline);
  Pacer outage(Millis{50}, Millis{2000}, deadline);
  int attempts = 0;
  bool overtaken = false;
  for (;;) {
    const auto looked_at = BootClock::now();
    const auto base = overtaken ? ReadNewest() : Fresh();
    if (!base.ok()) {
      if (!IsUnavailable(base.status())) return base.status();
      // Nothing of ours is in the log: nothing was sent, or another writer took the version.
      if (outage.Pause()) continue;
      CommitResult result = Ended(CommitOutcome::kConflict, base.status().message());
      result.attempts = attempts;
      return result;
    }
    ++attempts;
    ARROW_ASSIGN_OR_RAISE(Attempt attempt, TryCommit(*base, looked_at, prepare, id, deadline));
    if (!attempt.result && (BootClock::now() >= deadline || !contention.Pause())) {
      attempt.result =
          Ended(CommitOutcome::kConflict,
                "out of time at version " + std::to_string(base->state->version() + 1));
    }
    if (attempt.result) {
      attempt.result->attempts = attempts;
      return *std::move(attempt.result);
    }
    overtaken = attempt.overtaken;
  }
}

Result<DeltaTable::Attempt> DeltaTable::TryCommit(const Seen& base, BootClock::time_point looked_at,
                                                  const Prepare& prepare, const std::string& id,
                                                  BootClock::time_point deadline) {
  const TableState& state = *base.state;
  const auto ended = [](CommitOutcome outcome, std::string detail) {
    return Attempt{Ended(outcome, std::move(detail)), false};
  };
  ARROW_RETURN_NOT_OK(Annotate(CheckWritable(state)));
  ARROW_RETURN_NOT_OK(
      Annotate(CheckPartitioning(state.partition_columns(), writer_.partition_columns)));
  auto prepared = prepare(state);
  if (!prepared.ok()) return Annotate(prepared.status());
  if (const auto* refusal = std::get_if<Refusal>(&*prepared)) {
    Attempt refused = ended(CommitOutcome::kConflict,
                            refusal->why + " at version " + std::to_string(state.version()));
    refused.result->refusal = *refusal;
    return refused;
  }
  const Changes& changes = std::get<Changes>(*prepared);
  ARROW_RETURN_NOT_OK(Annotate(CheckChanges(state, writer_, changes)));
  const auto expiry = FilesExpire(state, changes);
  if (!expiry.ok()) return Annotate(expiry.status());
  if (BootClock::now() >= *expiry) {
    Attempt refused = ended(CommitOutcome::kConflict,
                            "its files are too old: by the table's "
                            "delta.deletedFileRetentionDuration another program's "
                            "vacuum may have deleted them");
    refused.result->too_old = true;
    return refused;
  }
  auto entry = BuildEntry(state, writer_, changes, id);
  if (!entry.ok()) return Annotate(entry.status());
  if (!*entry) {
    return ended(CommitOutcome::kConflict, "a file to be replaced no longer exists in version " +
                                               std::to_string(state.version()));
  }
  const auto sent_at = BootClock::now();
  EntryLander lander(store_, path_, std::min({deadline, base.expires(), *expiry}));
  ARROW_ASSIGN_OR_RAISE(const Landing landing, lander.Land(state.version() + 1, &**entry));
  if (landing == Landing::kUncertain) return ended(CommitOutcome::kUnknown, lander.detail());
  if (landing != Landing::kOurs) return Attempt{std::nullopt, landing == Landing::kTheirs};
  auto next = std::make_shared<TableState>(state);
  ARROW_RETURN_NOT_OK(next->Replay(state.version() + 1, **entry));
  ARROW_RETURN_NOT_OK(next->Finish());
  // Before anything builds on it: neither a checkpoint nor the next commit may.
  if (BootClock::now() - looked_at > kSuspected) {
    const Status replaced = CheckNotReplaced(base, *next);
    if (IsUnavailable(replaced)) return ended(CommitOutcome::kUnknown, replaced.message());
    ARROW_RETURN_NOT_OK(replaced);
  }
  Adopt({next, sent_at});
  checkpointer_.WriteIfDue(next);
  Attempt committed = ended(CommitOutcome::kCommitted, "");
  committed.result->version = next->version();
  return committed;
}

void DeltaTable::WarnOfRetention(const TableState& state) {
  for (const std::string& warning : RetentionWarnings(state.properties())) {
    if (warned_.insert(warning).second) Log::Warn("table {}: {}", path_, warning);
  }
}

Result<std::unique_ptr<DeltaTable>> OpenDeltaTable(ObjectStore* store, const std::string& path) {
  const auto now = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(LoadedState loaded, LoadState(store, path));
  return std::make_unique<DeltaTable>(store, path, std::move(loaded), now);
}

// Writes version 0 unless it exists. It makes no difference which writer creates it.
Status CreateTable(ObjectStore* store, const TableSpec& spec) {
  for (const std::string& column : spec.partition_columns) {
    if (spec.schema->GetFieldIndex(column) < 0) {
      return Status::Invalid("table ", spec.path, ": partition column ", column,
                             " is not in its schema");
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::string schema_string, FormatDeltaSchema(*spec.schema));
  EntryLander lander(store, spec.path, BootClock::now() + kCreateTimeout);
  LogEntry entry = FirstEntry(spec, std::move(schema_string));
  ARROW_ASSIGN_OR_RAISE(const Landing landing, lander.Land(0, &entry));
  if (landing == Landing::kOurs || landing == Landing::kTheirs) return Status::OK();
  return Unavailable("cannot create table ", spec.path, " in ", store->Describe(), ": ",
                     lander.detail());
}

}  // namespace

Prepare Unconditionally(Changes changes) {
  return [changes = std::move(changes)](const Snapshot&) { return changes; };
}

Prepare ForColumns(std::shared_ptr<arrow::Schema> columns, Changes changes) {
  return [columns = std::move(columns),
          changes = std::move(changes)](const Snapshot& snapshot) -> ChangesOrRefusal {
    if (!snapshot.schema()->Equals(*columns)) return Refusal{"the table's columns have changed"};
    return changes;
  };
}

Result<std::unique_ptr<Table>> Table::Open(ObjectStore* store, const std::string& path) {
  return OpenDeltaTable(store, path);
}

Status Table::Create(ObjectStore* store, const TableSpec& spec) { return CreateTable(store, spec); }

Result<std::unique_ptr<Table>> Table::OpenOrCreate(ObjectStore* store, const TableSpec& spec) {
  ARROW_RETURN_NOT_OK(ProvePutIfAbsent(store, spec.path));
  auto opened = OpenDeltaTable(store, spec.path);
  if (opened.status().IsKeyError()) {
    ARROW_RETURN_NOT_OK(CreateTable(store, spec));
    opened = OpenDeltaTable(store, spec.path);
  }
  ARROW_ASSIGN_OR_RAISE(auto table, std::move(opened));
  const Status status = table->Expect(spec);
  if (!status.ok()) return status.WithMessage("table ", spec.path, ": ", status.message());
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace shopstream::lake
