#include "lake/delta/checkpointer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/commit_entry.h"
#include "lake/delta/log_cleanup.h"

namespace shopstream::lake {
namespace {

// The log is cleaned up this many times per retention period, so that it holds little more than
// that without a complete listing at every checkpoint.
constexpr int64_t kCleanUpsInRetention = 24;
constexpr int64_t kMinCleanUpIntervalMs = 60 * 1000;
constexpr int64_t kMaxCleanUpIntervalMs = 3600 * 1000;

}  // namespace

Checkpointer::Checkpointer(ObjectStore* store, std::string table_path, int64_t checkpoint_version)
    : store_(store), table_path_(std::move(table_path)), checkpoint_version_(checkpoint_version) {}

Checkpointer::~Checkpointer() {
  closing_ = true;
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::Saw(int64_t checkpoint_version) {
  const std::lock_guard lock(mutex_);
  checkpoint_version_ = std::max(checkpoint_version_, checkpoint_version);
}

void Checkpointer::WriteIfDue(const std::shared_ptr<const TableState>& state) {
  const int64_t interval =
      CountProperty(state->properties(), "delta.checkpointInterval", kDefaultCheckpointInterval);
  const int64_t multiple = state->version() - state->version() % interval;
  const std::lock_guard lock(mutex_);
  const bool due = multiple > std::max<int64_t>(checkpoint_version_, 0);
  if (!due || busy_.exchange(true)) return;
  checkpoint_version_ = multiple;
  if (thread_.joinable()) thread_.join();  // It is done: it clears the flag last.
  thread_ = Thread([this, state, multiple] {
    Write(*state, multiple);
    busy_ = false;
  });
}

void Checkpointer::Write(const TableState& state, int64_t multiple) {
  Status status;
  const auto hint =
      state.version() > multiple ? ReadCheckpointHint(store_, table_path_) : Result<int64_t>(-1);
  if (!hint.ok() || *hint < multiple) {
    status = WriteCheckpoint(store_, table_path_, state, WallClockMillis());
  }
  if (!status.ok()) {
    Log::Warn("table {}: no checkpoint of version {} was written, the next one suffices: {}",
              table_path_, state.version(), status.message());
    return;
  }
  status = CleanUpLogIfDue(state);
  if (!status.ok()) {
    Log::Warn("table {}: the log was not cleaned up, the next checkpoint tries again: {}",
              table_path_, status.message());
  }
}

Status Checkpointer::CleanUpLogIfDue(const TableState& state) {
  ARROW_ASSIGN_OR_RAISE(const int64_t now_ms, store_->Now());
  if (now_ms < clean_up_due_ms_) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const LogCleanUpResult result,
                        CleanUpLog(store_, table_path_, state.properties(), now_ms, {},
                                   [this] { return closing_.load(); }));
  if (result.deleted > 0) {
    Log::Info("table {}: {} objects of the log are older than its retention and were deleted",
              table_path_, result.deleted);
  }
  if (result.finished) {
    clean_up_due_ms_ =
        now_ms + std::clamp(LogRetentionMs(state.properties()) / kCleanUpsInRetention,
                            kMinCleanUpIntervalMs, kMaxCleanUpIntervalMs);
  }
  return Status::OK();
}

}  // namespace shopstream::lake
