#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/status.h"
#include "registry/record.h"
#include "registry/state.h"

namespace shopstream::registry {

using Look = std::function<void(const State&)>;
// Decides on a state what to write; nothing: no write is needed. Called again, on a newer state,
// where another registry came in between; so it must set all it captures each time.
using Decide = std::function<std::optional<KeyAndValue>(const State&)>;

// The seam between the registry's HTTP side and where it keeps its schemas. Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // OK once everything that was stored at the start has been read; until then IOError with how far.
  virtual Status Ready() const = 0;
  // Looks at what is in memory. `look` must be short.
  virtual void Read(const Look& look) const = 0;
  // Until memory holds all that was stored when this was called.
  virtual Status CatchUp(Millis timeout) = 0;
  // Decides on a state that no other registry can have changed by the time the record stands;
  // returns once it stands and is in memory. IOError: it may or may not come to stand.
  virtual Status Write(const Decide& decide, Millis timeout) = 0;
};

}  // namespace shopstream::registry
