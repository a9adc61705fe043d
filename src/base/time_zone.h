#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream {

// The offsets from UTC of a place, from the system's time zone database (RFC 9636): the folder
// $TZDIR, or /usr/share/zoneinfo. Immutable, so threads may share it.
class TimeZone {
 public:
  // UTC.
  TimeZone() = default;
  // By its name, such as Europe/Lisbon. Invalid: there is no such zone, no database, or the file is
  // broken.
  static Result<TimeZone> Load(const std::string& name);
  // The same from the bytes of a zone file; `name` is for messages.
  static Result<TimeZone> Parse(std::string_view file, const std::string& name);

  // What a local clock shows -> UTC, both in seconds since 1970. A time that occurs twice, when the
  // clock is put back, is the earlier one. A time that never occurs, when the clock is put forward,
  // is moved forward by the same amount. (As in Python's zoneinfo with fold=0.)
  int64_t ToUtc(int64_t local_seconds) const;

 private:
  struct Change {
    int64_t local_from = 0;  // From this local time on ...
    int64_t offset = 0;      // ... the clock is this many seconds ahead of UTC.
  };

  int64_t first_offset_ = 0;
  std::vector<Change> changes_;  // In order.
  bool repeats_ = false;         // The last 400 years of the changes repeat.
};

}  // namespace shopstream
