#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/runtime.h"
#include "base/status.h"

namespace shopstream::refine {

// What is read from files that somebody may change while the program runs.
template <typename Value>
struct FileSource {
  // Changes whenever a value that is read may be another one. Cheap.
  std::function<std::string()> stamp;
  std::function<Result<Value>()> read;
};

// The newest value of a source that can be used. One thread.
template <typename Value>
class FilesInForce {
 public:
  // Whether a value can be used; keeps what it makes of it, if so.
  using Accept = std::function<Status(const Value&)>;

  // Fails if the first value cannot be read or is not accepted.
  static Result<FilesInForce> Open(FileSource<Value> source, const Accept& accept) {
    for (int reads = 0; reads < kMostReads; ++reads) {
      std::string stamp = source.stamp();
      auto value = source.read();
      if (source.stamp() != stamp) continue;
      ARROW_RETURN_NOT_OK(value.status());
      ARROW_RETURN_NOT_OK(accept(*value));
      return FilesInForce(std::move(source), std::move(stamp), *std::move(value));
    }
    return Status::Invalid("the files change while they are read: ", source.stamp());
  }

  // Reads the source again if it has changed. If the new value cannot be read or is not accepted,
  // the old one stays in force, and `broken` says why, once in the log as well. While somebody
  // writes a file nothing happens: a later call reads it.
  void Reload(const Accept& accept) {
    std::string stamp = source_.stamp();
    // A broken one may have become usable without a change of its own: readable, or with a column
    // that Bronze has now.
    if (stamp == stamp_ && broken_.ok()) return;
    // An editor that saves leaves an empty or a short file for a moment.
    if (stamp != stamp_) Sleep(kRest);
    if (source_.stamp() != stamp) return;
    auto value = source_.read();
    if (source_.stamp() != stamp) return;
    stamp_ = std::move(stamp);
    const Status before = std::exchange(broken_, value.ok() ? accept(*value) : value.status());
    if (broken_.ok()) {
      value_ = *std::move(value);
    } else if (broken_ != before) {
      Log::Warn("{}; what was read before stays in force", broken_.message());
    }
  }

  const Value& value() const { return value_; }
  // OK: the value is that of the source.
  const Status& broken() const { return broken_; }

 private:
  static constexpr int kMostReads = 10;
  static constexpr Millis kRest{50};

  FilesInForce(FileSource<Value> source, std::string stamp, Value value)
      : source_(std::move(source)), stamp_(std::move(stamp)), value_(std::move(value)) {}

  FileSource<Value> source_;
  std::string stamp_;
  Value value_;
  Status broken_;
};

// A file's time and size, for FileSource::stamp.
std::string StampOfFile(const std::string& path);

}  // namespace shopstream::refine
