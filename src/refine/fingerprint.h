#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "refine/lookups.h"
#include "refine/rules.h"

namespace shopstream::refine {

// Of everything that decides what becomes of a row: a hash of each part by its name for people
// ("rule quantity_range", "rates"). Equal maps decide equally; a comment in a file, the order of
// its lines or a description change none.
using Fingerprint = std::map<std::string, std::string>;

Fingerprint FingerprintOf(const Rules& rules, const Lookups& lookups, const std::string& silver_sql,
                          int64_t late_after_seconds);

// The parts that differ, or that one of them lacks.
std::vector<std::string> ChangedParts(const Fingerprint& before, const Fingerprint& after);

// One hash for all parts, of 16 hexadecimal digits.
std::string ShortHash(const Fingerprint& fingerprint);

}  // namespace shopstream::refine
