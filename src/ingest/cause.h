#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream::ingest {

// Why a record is in quarantine. A verdict depends on the record and the registry alone, never on
// the clock, so that all consumers reach the same one.
enum class Cause {
  kEmpty,
  kBadFrame,
  kUnknownSchema,
  kCorrupt,
  kIncompatibleSchema,
  kUnknownPartitionValue,
  kBadTimestamp,
  kTooLarge,
};

// The value of the column `cause`: "bad_frame".
std::string_view Name(Cause cause);
// The inverse; nothing: no cause has this name.
std::optional<Cause> ParseCause(std::string_view name);

// All of them.
std::vector<std::string> CauseNames();

}  // namespace shopstream::ingest
