#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "lake/log_entry.h"
#include "lake/object_store.h"

namespace shopstream::lake {

// Entries are kept a day at least, so what was the newest version an hour ago is not cleaned up
// yet. Beyond that, an absent entry may be one that was cleaned up, and a put of it would "succeed"
// in a past that nobody reads.
inline constexpr std::chrono::hours kStateLifetime{1};

// Hands out pauses that end at a deadline.
class Pacer {
 public:
  Pacer(Millis first, Millis longest, BootClock::time_point deadline);

  // Sleeps. False, without a pause: the deadline has come or would pass during the pause.
  bool Pause();

 private:
  const BootClock::time_point deadline_;
  Backoff backoff_;
};

// What came of sending one entry to one version.
enum class Landing {
  kOurs,       // It stands there.
  kTheirs,     // Another's stands there, so ours never will.
  kNotSent,    // The time was up before the first try.
  kUncertain,  // The store did not answer in time.
};

// Sends the same bytes to the same version until something stands there, then tells whose it is by
// the commit's unique id: a reply may be lost in either direction, but a version is written once.
class EntryLander {
 public:
  EntryLander(ObjectStore* store, std::string table_path, BootClock::time_point deadline);

  // Sets the entry's digest to that of the bytes it sends. An error: the store
  // refuses the write, and nothing was written.
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
