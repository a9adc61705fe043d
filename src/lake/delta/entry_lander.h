#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "lake/delta/log_entry.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Entries are kept for at least a day, so the newest version of an hour ago has not been cleaned up
// yet. After an hour, a missing entry may have been cleaned up, and a put would create a version
// that nobody reads.
inline constexpr std::chrono::hours kStateLifetime{1};

// Hands out pauses that end at a deadline.
class Pacer {
 public:
  Pacer(Millis first, Millis longest, BootClock::time_point deadline);

  // Sleeps. Returns false without sleeping if the deadline would pass during the pause.
  bool Pause();

 private:
  const BootClock::time_point deadline_;
  Backoff backoff_;
};

// The outcome of sending one entry to one version.
enum class Landing {
  kOurs,       // That version is our entry.
  kTheirs,     // That version is another writer's entry, so it will never be ours.
  kNotSent,    // The deadline passed before the first attempt.
  kUncertain,  // The store did not answer in time.
};

// Sends the same bytes to the same version until that version exists, then uses the commit's unique
// id to determine whose it is: a reply may be lost, but a version is written only once.
class EntryLander {
 public:
  EntryLander(ObjectStore* store, std::string table_path, BootClock::time_point deadline);

  // Sets the entry's digest to that of the bytes it sends. An error: the store refuses the write,
  // and nothing was written.
  Result<Landing> Land(int64_t version, LogEntry* entry);

  // The last failure of the store, for messages; empty: there was none.
  const std::string& detail() const { return detail_; }

 private:
  Result<Landing> WhoseStands(int64_t version, const std::string& id);

  ObjectStore* const store_;
  const std::string table_path_;
  const BootClock::time_point deadline_;
  Pacer pacer_;
  std::string detail_;
};

}  // namespace shopstream::lake
