#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream::lake {

using Properties = std::map<std::string, std::string>;

// The meaning of a property that is not understood: nothing that its owner may want to keep is
// deleted. A thousand years in milliseconds, so that differences cannot overflow.
inline constexpr int64_t kKeepForEverMs = int64_t{1000} * 365 * 24 * 3600 * 1000;

// A duration in the form of Spark's intervals, case-insensitive: "interval 1 weeks 53 days", "2
// HOURS 30 minutes", "interval 1.5 seconds". In milliseconds. Nothing: not an interval, one with
// months or years, which Delta refuses because their length varies, or a negative one.
std::optional<int64_t> ParseInterval(std::string_view text);

// A duration property, in milliseconds: `otherwise` if absent, kKeepForEverMs if not understood.
int64_t IntervalMillis(const Properties& properties, const std::string& name, int64_t otherwise);

// Whether a boolean property has this value, case-insensitively.
bool PropertyIs(const Properties& properties, const std::string& name, bool value);

// Whether a boolean property that restricts a writer may be on: it is set, and not to "false". A
// value that is not understood counts as on: Spark refuses to write such a table, others differ.
bool MayBeOn(const Properties& properties, const std::string& name);

// One line for each retention property that is not understood, with its consequence and the remedy.
std::vector<std::string> RetentionWarnings(const Properties& properties);

// delta.deletedFileRetentionDuration (7 days if absent), in milliseconds: how long removed files
// are kept for readers of older versions, and how long other programs' vacuum keeps a file that no
// version names yet.
int64_t TombstoneRetentionMs(const Properties& properties);

// Maximum age of a commit's files when it is sent: half of the time for which a foreign vacuum
// keeps them, at most 12 hours, which is half of our own vacuum's. Invalid: the property leaves
// less than 10 seconds, in which no commit is safe.
Result<Millis> MaxCommitAge(const Properties& properties);

// Invalid: MaxCommitAge leaves less than `work`, the time that writing the files of one commit may
// take, so that they might be rewritten over and over and never be committed.
Status CheckTimeToCommit(const Properties& properties, Millis work);

}  // namespace shopstream::lake
