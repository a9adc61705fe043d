#include "lake/table.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/runtime.h"
#include "lake/checkpoint.h"
#include "lake/column_merge.h"
#include "lake/delta_schema.h"
#include "lake/entry_lander.h"
#include "lake/log_cleanup.h"
#include "lake/log_entry.h"
#include "lake/log_reader.h"
#include "lake/partition_path.h"
#include "lake/put_proof.h"
#include "lake/retention.h"
#include "lake/statistics_growth.h"
#include "lake/table_state.h"
#include "lake/uuid.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

constexpr char kEngine[] = "ShopStream";
constexpr int64_t kCheckpointInterval = 100;
constexpr Millis kCreateTimeout{30000};
constexpr int64_t kTrimInterval = 100;  // Versions from one dropping of tombstones to the next.
// The log is cleaned up this many times in its retention, so that it holds little more than that,
// but the whole of it is not listed at every checkpoint.
constexpr int64_t kCleanUpsInRetention = 24;
constexpr int64_t kMinCleanUpIntervalMs = 60 * 1000;
constexpr int64_t kMaxCleanUpIntervalMs = 3600 * 1000;

// The lake's own defaults, kept in each table so that any other writer follows them too.
const std::map<std::string, std::string>& DefaultProperties() {
  static const std::map<std::string, std::string> kDefaults = {
      {"delta.checkpointInterval", std::to_string(kCheckpointInterval)},
      {"delta.logRetentionDuration", "interval 1 days"},
      {"delta.deletedFileRetentionDuration", "interval 1 hours"}};
  return kDefaults;
}

// --- Decisions, without I/O ----------------------------------------------------------------------

// A path occurs once among the adds and removes of an entry (Delta protocol, "Delta Log Entries").
Status CheckTransaction(const Transaction& transaction) {
  std::set<std::string_view> paths;
  for (const auto* files : {&transaction.adds, &transaction.removes, &transaction.restates}) {
    for (const DataFile& file : *files) {
      if (file.path.empty() || file.path.starts_with('/')) {
        return Status::Invalid("'", file.path, "' is not a path relative to the table");
      }
      if (!paths.insert(file.path).second) {
        return Status::Invalid("file ", file.path, " occurs twice in one commit");
      }
    }
  }
  return Status::OK();
}

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return "(" + out + ")";
}

Status CheckPartitioning(const std::vector<std::string>& table,
                         const std::vector<std::string>& expected) {
  if (table == expected) return Status::OK();
  return Status::Invalid("the table is partitioned by ", Joined(table), ", this writer by ",
                         Joined(expected), ": use another table");
}

Status CheckPartitionValues(const DataFile& file, const std::vector<std::string>& columns) {
  const bool same = std::equal(
      columns.begin(), columns.end(), file.partition_values.begin(), file.partition_values.end(),
      [](const auto& column, const auto& value) { return column == value.first; });
  if (same) return Status::OK();
  return Status::Invalid("file ", file.path, " does not have a value for each of the columns ",
                         Joined(columns), ", in this order");
}

LogEntry FirstEntry(const TableSpec& spec, std::string schema_string) {
  LogEntry entry;
  entry.protocol = Protocol();
  Metadata metadata;
  metadata.id = NewUuid();
  metadata.schema_string = std::move(schema_string);
  metadata.partition_columns = spec.partition_columns;
  metadata.configuration = spec.properties;
  metadata.configuration.insert(DefaultProperties().begin(), DefaultProperties().end());
  metadata.created_ms = WallClockMillis();
  entry.metadata = std::move(metadata);
  entry.commit_info = json{{"timestamp", WallClockMillis()},
                           {"operation", "CREATE TABLE"},
                           {"operationParameters", json::object()},
                           {"isBlindAppend", true},
                           {"engineInfo", kEngine},
                           {"txnId", NewUuid()}};
  return entry;
}

json CommitInfo(const Transaction& transaction, const std::string& id, int64_t read_version) {
  json info = transaction.info->is_object() ? *transaction.info : json::object();
  info["timestamp"] = WallClockMillis();
  info["operation"] = transaction.operation;
  if (!info.contains("operationParameters")) info["operationParameters"] = json::object();
  info["readVersion"] = read_version;
  info["isBlindAppend"] = transaction.removes.empty() && transaction.restates.empty();
  info["engineInfo"] = kEngine;
  info["txnId"] = id;
  return info;
}

// What a commit makes of the table's columns.
struct Columns {
  std::shared_ptr<arrow::Schema> written;  // Those of the commit's files.
  std::shared_ptr<arrow::Schema> table;    // Those of the table after it.
  std::optional<Metadata> metadata;        // For the entry; none: the table has all of it already.
};

// The table's metaData with the growth merged in.
Result<Columns> GrownColumns(const TableState& base, const TableGrowth& growth) {
  Columns columns{growth.columns, nullptr, base.metadata()};
  ARROW_ASSIGN_OR_RAISE(columns.table, MergeColumns(base.schema(), *growth.columns));
  if (columns.table != base.schema()) {
    ARROW_ASSIGN_OR_RAISE(columns.metadata->schema_string, FormatDeltaSchema(*columns.table));
  }
  for (const auto& [key, value] : growth.properties) columns.metadata->configuration[key] = value;
  if (*columns.metadata == base.metadata()) columns.metadata.reset();
  return columns;
}

// False: one of the files is no longer live.
bool Restate(const TableState& base, const Transaction& transaction, LogEntry* entry) {
  std::vector<std::string> paths;
  for (const DataFile& file : transaction.restates) paths.push_back(file.path);
  auto live = base.FindFiles(paths);
  for (size_t i = 0; i < live.size(); ++i) {
    if (!live[i]) return false;
    live[i]->file.statistics = transaction.restates[i].statistics;
    live[i]->data_change = transaction.data_change;
    entry->adds.push_back(*std::move(live[i]));
  }
  return true;
}

// Nothing where a file to remove is no longer live: then what was derived from it is stale.
std::optional<LogEntry> BuildEntry(const TableState& base, const Transaction& transaction,
                                   const std::string& id) {
  LogEntry entry;
  entry.commit_info = CommitInfo(transaction, id, base.version());
  const int64_t now_ms = WallClockMillis();
  for (const auto& [app_id, version] : transaction.txns) {
    entry.txns.push_back({app_id, version, now_ms});
  }
  std::vector<std::string> removed;
  for (const DataFile& file : transaction.removes) removed.push_back(file.path);
  for (const auto& live : base.FindFiles(removed)) {
    if (!live) return std::nullopt;
    entry.removes.push_back({live->file.path, live->log_path, now_ms, transaction.data_change,
                             live->file.partition_values, live->file.size_bytes});
  }
  for (const DataFile& file : transaction.adds) {
    entry.adds.push_back({file, EncodeLogPath(file.path), transaction.data_change, ""});
  }
  return Restate(base, transaction, &entry) ? std::optional(std::move(entry)) : std::nullopt;
}

// A state lives as long as its program: what others remove must not pile up in it.
std::shared_ptr<const TableState> WithoutExpiredTombstones(
    std::shared_ptr<const TableState> state) {
  if (state->tombstone_count() == 0) return state;
  auto trimmed = std::make_shared<TableState>(*state);
  trimmed->DropExpiredTombstones(WallClockMillis());
  return trimmed;
}

// --- The table -----------------------------------------------------------------------------------

class DeltaTable : public Table {
 public:
  DeltaTable(ObjectStore* store, std::string path, LoadedState loaded,
             BootClock::time_point loaded_at)
      : store_(store),
        path_(std::move(path)),
        schema_(loaded.state->schema()),
        partition_columns_(loaded.state->partition_columns()),
        newest_({std::move(loaded.state), loaded_at}),
        checkpoint_version_(loaded.checkpoint_version) {}
  ~DeltaTable() override {
    closing_ = true;
    if (checkpointer_.joinable()) checkpointer_.join();
  }

  // From now on commits are checked against these columns instead of those found at opening.
  Status Expect(const TableSpec& spec) {
    ARROW_RETURN_NOT_OK(CheckPartitioning(partition_columns_, spec.partition_columns));
    ARROW_RETURN_NOT_OK(CheckColumns(*schema_, *spec.schema));
    schema_ = spec.schema;
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
  Result<CommitResult> Commit(const Transaction& transaction,
                              const std::function<bool(const Snapshot&)>& legal,
                              BootClock::time_point deadline) override;

 private:
  // A state, and when it was last known to be the newest.
  struct Seen {
    std::shared_ptr<const TableState> state;
    BootClock::time_point at;

    BootClock::time_point expires() const { return at + kStateLifetime; }
  };

  Seen Newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }
  Result<Seen> ReadNewest();
  // As if it were opened now. Invalid: the table is gone, or another one is in its place.
  // `disproved`: the entry of the known version does not stand, so nothing of it is kept.
  Result<Seen> Reload(const Seen& known, bool disproved = false);
  // Whether the entry of the state's version is in the log, as the state was built from it. False
  // as well if the state does not know its entry: then nothing is proved.
  Result<bool> EntryStands(const TableState& state);
  // Keeps the newer of what is known and what was seen, and returns it.
  Seen Adopt(Seen seen);
  // The newest known state, read anew if it is too old to build on, or if its entry is not the one
  // that it was. Errors: as Reload.
  Result<Seen> Fresh();
  Status CheckCommit(const TableState& base, const Transaction& transaction) const;
  Result<Columns> GrowOrCheckColumns(const TableState& base, const Transaction& transaction) const;
  // Once for each value that is not understood. With mutex_.
  void WarnOfRetention(const TableState& state);
  void WriteCheckpointIfDue(const std::shared_ptr<const TableState>& state);
  void CleanUpLogIfDue(const TableState& state);
  Status Annotate(const Status& status) const {
    return status.ok() ? status : status.WithMessage("table ", path_, ": ", status.message());
  }

  ObjectStore* const store_;
  const std::string path_;
  std::shared_ptr<arrow::Schema>
      schema_;  // What this writer fills; set before the table is shared.
  const std::vector<std::string> partition_columns_;

  mutable std::mutex mutex_;
  Seen newest_;                   // Guarded by mutex_.
  int64_t checkpoint_version_;    // Newest that is written, or is somebody's to write. By mutex_.
  int64_t trimmed_version_ = 0;   // Where expired tombstones were last dropped. By mutex_.
  std::set<std::string> warned_;  // By mutex_.
  Thread checkpointer_;           // Guarded by mutex_.
  std::atomic<bool> checkpointing_ = false;
  std::atomic<bool> closing_ = false;
  int64_t log_clean_up_due_ms_ = 0;  // By the store's clock. Only the checkpointer's.
};

Result<DeltaTable::Seen> DeltaTable::ReadNewest() {
  const Seen known = Newest();
  const auto now = BootClock::now();
  if (now < known.expires()) {
    auto advanced = AdvanceState(store_, path_, known.state);
    if (!advanced.ok()) return Annotate(advanced.status());
    if (*advanced == known.state) return Adopt({*std::move(advanced), now});
    if (*advanced != nullptr) {
      // After the newer entries were read: they may be those of another table.
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
  {
    const std::lock_guard lock(mutex_);
    checkpoint_version_ = std::max(checkpoint_version_, loaded.checkpoint_version);
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
  // A put would succeed in the folder of a table that is gone, and nobody could open what it makes;
  // in that of another table it would lose records. A store that does not answer proves nothing:
  // the put will meet it too.
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

Status DeltaTable::CheckCommit(const TableState& base, const Transaction& transaction) const {
  ARROW_RETURN_NOT_OK(CheckWritable(base));
  ARROW_RETURN_NOT_OK(CheckPartitioning(base.partition_columns(), partition_columns_));
  for (const DataFile& file : transaction.adds) {
    ARROW_RETURN_NOT_OK(CheckPartitionValues(file, partition_columns_));
  }
  if (!transaction.removes.empty() && transaction.data_change &&
      MayBeOn(base.properties(), "delta.appendOnly")) {
    return Status::Invalid("the table is append-only (delta.appendOnly=",
                           base.properties().at("delta.appendOnly"), "): it refuses removes");
  }
  return Status::OK();
}

Result<Columns> DeltaTable::GrowOrCheckColumns(const TableState& base,
                                               const Transaction& transaction) const {
  if (transaction.grow) {
    ARROW_ASSIGN_OR_RAISE(const TableGrowth growth, transaction.grow(base));
    return GrownColumns(base, growth);
  }
  if (!transaction.adds.empty()) ARROW_RETURN_NOT_OK(CheckColumns(*base.schema(), *schema_));
  return Columns{schema_, base.schema(), std::nullopt};
}

// One attempt builds on the newest known version and writes the next one. It ends in one of four
// ways: it stands; another's stands there (read it, check again, and build on it); it is refused;
// or the store does not say, until the deadline.
Result<CommitResult> DeltaTable::Commit(const Transaction& transaction,
                                        const std::function<bool(const Snapshot&)>& legal,
                                        BootClock::time_point deadline) {
  ARROW_RETURN_NOT_OK(Annotate(CheckTransaction(transaction)));
  const std::string id = NewUuid();
  CommitResult result;
  const auto give_up = [&result](CommitOutcome outcome, std::string detail) {
    result.outcome = outcome;
    result.detail = std::move(detail);
    return result;
  };
  Pacer contention(Millis{2}, Millis{200}, deadline);
  Pacer outage(Millis{50}, Millis{2000}, deadline);
  bool overtaken = false;
  for (;;) {
    const auto base = overtaken ? ReadNewest() : Fresh();
    if (!base.ok()) {
      if (!IsUnavailable(base.status())) return base.status();
      // Nothing of ours stands anywhere: either nothing was sent, or another's took its place.
      if (!outage.Pause()) return give_up(CommitOutcome::kConflict, base.status().message());
      continue;
    }
    ++result.attempts;
    const TableState& state = *base->state;
    ARROW_RETURN_NOT_OK(Annotate(CheckCommit(state, transaction)));
    auto send_until = std::min(deadline, base->expires());
    if (transaction.written_since) {
      const auto max_age = MaxCommitAge(state.properties());
      if (!max_age.ok()) return Annotate(max_age.status());
      send_until = std::min(send_until, *transaction.written_since + *max_age);
      if (BootClock::now() >= *transaction.written_since + *max_age) {
        result.too_old = true;
        return give_up(CommitOutcome::kConflict, "its files are older than " +
                                                     FormatMillis(max_age->count()) +
                                                     ": a vacuum may have taken them");
      }
    }
    if (!legal(state)) {
      return give_up(CommitOutcome::kConflict, "the precondition does not hold at version " +
                                                   std::to_string(state.version()));
    }
    const auto columns = GrowOrCheckColumns(state, transaction);
    if (!columns.ok()) return Annotate(columns.status());
    auto entry = BuildEntry(state, transaction, id);
    if (!entry) {
      return give_up(CommitOutcome::kConflict,
                     "a file to replace is gone at version " + std::to_string(state.version()));
    }
    entry->metadata = columns->metadata;
    CompleteStatistics(state, *columns->written, *columns->table, &*entry);
    const auto sent_at = BootClock::now();
    EntryLander lander(store_, path_, send_until);
    ARROW_ASSIGN_OR_RAISE(const Landing landing, lander.Land(state.version() + 1, &*entry));
    if (landing == Landing::kUncertain) return give_up(CommitOutcome::kUnknown, lander.detail());
    if (landing == Landing::kOurs) {
      auto next = std::make_shared<TableState>(state);
      ARROW_RETURN_NOT_OK(next->Replay(state.version() + 1, *entry));
      ARROW_RETURN_NOT_OK(next->Finish());
      Adopt({next, sent_at});
      WriteCheckpointIfDue(next);
      result.outcome = CommitOutcome::kCommitted;
      result.version = next->version();
      return result;
    }
    overtaken = landing == Landing::kTheirs;
    if (BootClock::now() >= deadline || !contention.Pause()) {
      return give_up(CommitOutcome::kConflict,
                     "out of time at version " + std::to_string(state.version() + 1));
    }
  }
}

void DeltaTable::WarnOfRetention(const TableState& state) {
  for (const std::string& warning : RetentionWarnings(state.properties())) {
    if (warned_.insert(warning).second) Log::Warn("table {}: {}", path_, warning);
  }
}

void DeltaTable::WriteCheckpointIfDue(const std::shared_ptr<const TableState>& state) {
  const int64_t interval =
      CountProperty(state->properties(), "delta.checkpointInterval", kCheckpointInterval);
  // Whoever commits a multiple of the interval writes its checkpoint. Should that writer have died,
  // the first to miss it does.
  const int64_t past_multiple = state->version() % interval;
  const int64_t multiple = state->version() - past_multiple;
  const std::lock_guard lock(mutex_);
  const bool due = multiple > std::max<int64_t>(checkpoint_version_, 0);
  if (!due || checkpointing_.exchange(true)) return;
  checkpoint_version_ = multiple;
  if (checkpointer_.joinable()) checkpointer_.join();  // Done: it clears the flag last.
  checkpointer_ = Thread([this, state, past_multiple, multiple] {
    Status status;
    const auto hint = past_multiple > 0 ? ReadCheckpointHint(store_, path_) : Result<int64_t>(-1);
    if (!hint.ok() || *hint < multiple) {
      status = WriteCheckpoint(store_, path_, *state, WallClockMillis());
    }
    if (!status.ok()) {
      Log::Warn("table {}: no checkpoint of version {}, the next one will do: {}", path_,
                state->version(), status.message());
    } else {
      CleanUpLogIfDue(*state);
    }
    checkpointing_ = false;
  });
}

// On the checkpointer's thread. A failure costs nothing but room: the next checkpoint tries again.
void DeltaTable::CleanUpLogIfDue(const TableState& state) {
  const auto clean_up = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const int64_t now_ms, store_->Now());
    if (now_ms < log_clean_up_due_ms_) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const LogCleanUpResult result,
                          CleanUpLog(store_, path_, state.properties(), now_ms, {},
                                     [this] { return closing_.load(); }));
    if (result.deleted > 0) {
      Log::Info("table {}: {} objects of the log are older than its retention and were deleted",
                path_, result.deleted);
    }
    if (result.finished) {
      log_clean_up_due_ms_ =
          now_ms + std::clamp(LogRetentionMs(state.properties()) / kCleanUpsInRetention,
                              kMinCleanUpIntervalMs, kMaxCleanUpIntervalMs);
    }
    return Status::OK();
  };
  if (const Status status = clean_up(); !status.ok()) {
    Log::Warn("table {}: the log was not cleaned up, the next checkpoint tries again: {}", path_,
              status.message());
  }
}

Result<std::unique_ptr<DeltaTable>> OpenDeltaTable(ObjectStore* store, const std::string& path) {
  const auto now = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(LoadedState loaded, LoadState(store, path));
  return std::make_unique<DeltaTable>(store, path, std::move(loaded), now);
}

// Writes version 0 unless there is one. Whose stands in the end makes no difference here.
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
