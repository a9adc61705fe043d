#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "registry/record.h"
#include "registry/state.h"

namespace shopstream::registry {

using Look = std::function<void(const State&)>;
// Decides on a state what to write; nothing: no write is needed. Called again, on a newer state,
// where another registry came in between; so it must set all it captures each time.
using Decide = std::function<std::vector<Record>(const State&)>;

// The seam between the registry's HTTP side and where it keeps its schemas. Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // OK once everything that was stored at the start has been read; until then IOError with how far.
  virtual Status Ready() const = 0;
  // OK where all of it could be understood; else what could not. Then reads go on, but nothing is
  // written and no id is called unknown.
  virtual Status Whole() const = 0;
  // Looks at what is in memory. `look` must be short.
  virtual void Read(const Look& look) const = 0;
  // Until memory holds all that was stored when this was called.
  virtual Status CatchUp(Millis timeout) = 0;
  // Decides on a state that no other registry can have changed by the time the records stand, all
  // or none of them; returns once they stand and are in memory. Invalid: they are too large.
  // IOError: they may or may not come to stand.
  virtual Status Write(const Decide& decide, Millis timeout) = 0;
  // Of the Kafka that keeps it; empty where it is not known.
  virtual std::string ClusterId() const = 0;
};

}  // namespace shopstream::registry
