#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"

// A topic of one partition used as a log that several processes read and take turns to write.
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

// The largest record that is written; topics that are to hold it need max.message.bytes above it.
inline constexpr int kMaxLogEntryBytes = 8 << 20;

// Reads partition 0 from its start and follows it, committed records only. One thread calls Next;
// any thread may ask for End.
class LogReader {
 public:
  static Result<std::unique_ptr<LogReader>> Open(const KafkaConfig& config,
                                                 const std::string& topic);
  ~LogReader();

  // Nothing: no record came within `timeout`. An outage of the brokers is not an error, reading
  // goes on once they are back; IOError means that this log cannot be followed any more (deleted,
  // truncated, not authorized).
  Result<std::optional<LogRecord>> Next(Millis timeout);
  // All committed records below this offset have been handed out by Next.
  int64_t position() const { return position_; }
  // One past the last committed record (or transaction marker) in Kafka now.
  Result<int64_t> End(Millis timeout);

 private:
  struct Impl;
  explicit LogReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  int64_t position_ = 0;
};

// The right to write the log. Opening one ends that of every other process with the same
// transactional id: from then on their appends are refused by Kafka ("fenced"), and whatever they
// had begun is either in the log or undone. One thread.
class LogWriter {
 public:
  static Result<std::unique_ptr<LogWriter>> Open(const KafkaConfig& config,
                                                 const std::string& topic,
                                                 const std::string& transactional_id,
                                                 Millis timeout);
  ~LogWriter();

  // Appends records, at least one, in a transaction of their own, all or none; the offset of the
  // last. An error means that they may or may not stand and that this writer is spent: open another
  // one, read the log to its end and decide again. Invalid: one is larger than a record may be.
  Result<int64_t> Append(const std::vector<LogEntry>& entries, Millis timeout);

 private:
  struct Impl;
  explicit LogWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
