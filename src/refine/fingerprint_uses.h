#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::refine {

// Rules, rates and SQL decide what becomes of a row; a fingerprint stands for all of them.
struct FingerprintUse {
  std::string fingerprint;
  int64_t first_pass = 0;  // Up to the next one's.

  bool operator==(const FingerprintUse&) const = default;
};

// The last hundred that rejects record, oldest first. Invalid: the property is damaged.
Result<std::vector<FingerprintUse>> ReadFingerprintUses(const lake::Snapshot& rejects);

// The property after a pass; empty if the pass uses the same as the one before it.
std::map<std::string, std::string> FingerprintProperty(std::vector<FingerprintUse> known,
                                                       const std::string& fingerprint,
                                                       int64_t pass);

}  // namespace shopstream::refine
