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

// What a property that is not understood stands for: nothing is deleted that its owner may have
// wanted to keep. A thousand years, in milliseconds, so that differences cannot overflow.
inline constexpr int64_t kKeepForEverMs = int64_t{1000} * 365 * 24 * 3600 * 1000;

// A duration as Spark writes intervals, in any letter case: "interval 1 weeks 53 days",
// "2 HOURS 30 minutes", "interval 1.5 seconds". In milliseconds. Nothing: no interval, one with
// months or years, which Delta refuses here since they have no fixed length, or a negative one.
std::optional<int64_t> ParseInterval(std::string_view text);

// A duration property, in milliseconds: `otherwise` if absent, kKeepForEverMs if not understood.
int64_t IntervalMillis(const Properties& properties, const std::string& name, int64_t otherwise);

// Whether a boolean property is set to this value, in any letter case.
bool PropertyIs(const Properties& properties, const std::string& name, bool value);

// Whether a boolean property that restricts a writer may be on: it is set, and not to "false". What
// is not understood is obeyed: Spark refuses to write such a table, other engines differ.
bool MayBeOn(const Properties& properties, const std::string& name);

// One line for each property about retention that is not understood: with what follows from it, and
// what to do.
std::vector<std::string> RetentionWarnings(const Properties& properties);

// delta.deletedFileRetentionDuration (7 days if absent), in milliseconds: how long removed files
// stay for readers of older versions, and how long other programs' vacuum spares a file that no
// version names yet.
int64_t TombstoneRetentionMs(const Properties& properties);

// How old the files of a commit may be when it is sent: half of what a foreign vacuum spares them
// for, at most 12 hours, which is half of what our own does. Invalid: the property leaves less
// than 10 seconds, in which no commit is safe.
Result<Millis> MaxCommitAge(const Properties& properties);

// Invalid: MaxCommitAge leaves less than `work`, the time that the files of one commit may take to
// write, so that they might be written again and again and never be committed.
Status CheckTimeToCommit(const Properties& properties, Millis work);

}  // namespace shopstream::lake
