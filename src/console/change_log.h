#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/json_value.h"
#include "base/status.h"

namespace shopstream::console {

// One act of a user, or an attempt at one.
struct ChangeRecord {
  int64_t id = 0;  // Ascends; the log gives it.
  int64_t at_ms = 0;
  std::string who, from;      // The user, and the address.
  std::string what, subject;  // Of the receipt; of an attempt, the route and its object.
  JsonValue before, after;
  std::string error;  // Why it failed or was refused; empty: it was done.
};

// Every change that was made in the console, and every failed attempt, in a file of one JSON object
// per line. A file that is full becomes FILE.1, which replaces an older one. Thread-safe.
class ChangeLog {
 public:
  static constexpr int64_t kMostFileBytes = 8 << 20;
  static constexpr size_t kMostShown = 1000;
  // Of a record's texts: longer ones are cut. Of its values before and after: a note replaces a
  // larger one.
  static constexpr size_t kMostTextBytes = 1 << 10;
  static constexpr size_t kMostValueBytes = 64 << 10;

  // Creates the file and its folder when the first record is written. Unreadable lines are left
  // out. IOError: the file exists and cannot be read.
  static Result<std::unique_ptr<ChangeLog>> Open(std::string path);

  // Whether a record could be written now: asked before each change, so that none is made that
  // cannot be recorded.
  Status Writable();
  // Also writes a log line. An error is logged and returned; the change was made all the same.
  Status Append(ChangeRecord record);
  // The newest records, newest first.
  nlohmann::ordered_json Newest(size_t limit) const;

 private:
  explicit ChangeLog(std::string path) : path_(std::move(path)) {}

  void Load(std::string_view text);
  Status Write(const std::string& line);

  const std::string path_;
  mutable std::mutex mutex_;
  std::deque<ChangeRecord> newest_;  // Guarded by mutex_, like all below.
  int64_t last_id_ = 0;
};

}  // namespace shopstream::console
