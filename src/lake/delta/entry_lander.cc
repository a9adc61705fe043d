#include "lake/delta/entry_lander.h"

#include <arrow/buffer.h>

#include <utility>

#include "base/error_kind.h"
#include "base/log.h"
#include "base/runtime.h"
#include "lake/delta/log_reader.h"

namespace shopstream::lake {

Pacer::Pacer(Millis first, Millis longest, BootClock::time_point deadline)
    : deadline_(deadline),
      backoff_({first, longest, std::chrono::duration_cast<Millis>(deadline - BootClock::now())}) {}

bool Pacer::Pause() {
  const auto now = BootClock::now();
  const auto pause = backoff_.Next(now);
  if (!pause || now + *pause >= deadline_) return false;
  Sleep(*pause);
  return BootClock::now() < deadline_;
}

EntryLander::EntryLander(ObjectStore* store, std::string table_path, BootClock::time_point deadline)
    : store_(store),
      table_path_(std::move(table_path)),
      deadline_(deadline),
      pacer_(Millis{50}, Millis{2000}, deadline) {}

Result<Landing> EntryLander::Land(int64_t version, LogEntry* entry) {
  const std::string path = LogEntryPath(table_path_, version);
  const std::string text = FormatLogEntry(*entry);
  entry->digest = EntryDigest(text);
  const auto bytes = arrow::Buffer::FromString(text);
  if (BootClock::now() >= deadline_) return Landing::kNotSent;
  for (bool uncertain = false;;) {
    const auto put = store_->PutIfAbsent(path, *bytes);
    // A process suspended during the put may have written a version that was already cleaned up.
    if (put.ok() && *put == PutOutcome::kCreated) {
      return BootClock::now() < deadline_ + kStateLifetime ? Landing::kOurs : Landing::kUncertain;
    }
    Status problem = put.status();
    if (put.ok()) {
      const auto landing = WhoseStands(version, CommitId(*entry));
      if (landing.ok()) return *landing;
      uncertain = true;
      problem = landing.status();
    }
    if (!IsUnavailable(problem) && !uncertain) return problem;
    uncertain = true;
    detail_ = problem.message();
    Log::Warn("commit of version {} of {}: no answer, trying again: {}", version, table_path_,
              detail_);
    if (!pacer_.Pause()) return Landing::kUncertain;
  }
}

Result<Landing> EntryLander::WhoseStands(int64_t version, const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(const auto entry, ReadLogEntry(store_, table_path_, version));
  if (!entry) {
    return Unavailable(LogEntryPath(table_path_, version),
                       " exists for writers but is not visible to readers");
  }
  return CommitId(*entry) == id ? Landing::kOurs : Landing::kTheirs;
}

}  // namespace shopstream::lake
