#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "registry/record.h"
#include "registry/state.h"

namespace shopstream::registry {

using Look = std::function<void(const State&)>;
// Decides from a state what to write; nothing: no write is needed. Called again, on a newer state,
// if another registry wrote in the meantime; so it must set everything it captures each time. May
// be called on another thread than that of Write, which waits for it.
using Decide = std::function<std::vector<Record>(const State&)>;

// The interface between the registry's HTTP side and its storage. Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // OK once everything stored at the start has been read; until then IOError with the progress.
  virtual Status Ready() const = 0;
  // OK if every record was understood; otherwise names those that were not. In that case reads
  // continue, but nothing is written and no id is reported as unknown.
  virtual Status Whole() const = 0;
  // Reads the state in memory. `look` must be short: nothing is applied meanwhile.
  virtual void Read(const Look& look) const = 0;
  // The state as it is now, for what takes longer.
  virtual std::shared_ptr<const State> Snapshot() const = 0;
  // Waits until memory has everything that was stored at the time of the call.
  virtual Status CatchUp(Millis timeout) = 0;
  // Decides on a state that no other registry can change before the records are written, all or
  // none of them; returns once they are written and in memory. Invalid: they are too large.
  // IOError: they may or may not be written.
  virtual Status Write(const Decide& decide, Millis timeout) = 0;
  // OK unless it is known that writes are refused; otherwise why.
  virtual Status Writable() const { return Status::OK(); }
  // The Kafka cluster's id; empty if unknown.
  virtual std::string ClusterId() const = 0;
};

}  // namespace shopstream::registry
