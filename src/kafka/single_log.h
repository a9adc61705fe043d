#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"

// A topic of one partition, used as a log that several processes read and take turns to write.
namespace shopstream::kafka {

struct LogRecord {
  int64_t offset = 0;
  std::string key;
  std::optional<std::string> value;  // Nothing: a tombstone.
};

struct LogEntry {
  std::string key;
  std::optional<std::string> value;  // Nothing: a tombstone.
};

// Maximum size of a record; topics for this log need a max.message.bytes above it.
inline constexpr int kMaxLogEntryBytes = 8 << 20;

// Reads partition 0 from its start and follows it, committed records only. Next is called by one
// thread; End by any thread.
class LogReader {
 public:
  static Result<std::unique_ptr<LogReader>> Open(const KafkaConfig& config,
                                                 const std::string& topic);
  ~LogReader();

  // Nothing: no record arrived within `timeout`. An outage of the brokers is not an error; reading
  // continues once they are back. IOError: this log can no longer be followed (deleted, truncated,
  // not authorized).
  Result<std::optional<LogRecord>> Next(Millis timeout);
  // Next has returned all committed records below this offset.
  int64_t position() const { return position_; }
  // One past the last committed record (or transaction marker) that Kafka currently has.
  Result<int64_t> End(Millis timeout);

 private:
  struct Impl;
  explicit LogReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  int64_t position_ = 0;
};

// The right to write the log. Opening a writer fences every other process with the same
// transactional id: Kafka refuses their later appends, and anything they had begun is either in the
// log or undone. One thread.
class LogWriter {
 public:
  static Result<std::unique_ptr<LogWriter>> Open(const KafkaConfig& config,
                                                 const std::string& topic,
                                                 const std::string& transactional_id,
                                                 Millis timeout);
  ~LogWriter();

  // Appends at least one record in one transaction, all or none; returns the offset of the last.
  // After an error the records may or may not be in the log, and this writer is unusable: open
  // another one, read the log to its end and decide again. Invalid: a record is too large.
  Result<int64_t> Append(const std::vector<LogEntry>& entries, Millis timeout);

 private:
  struct Impl;
  explicit LogWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
