#pragma once

#include <string>

#include "base/status.h"
#include "lake/object_store.h"

namespace shopstream::lake {

// How much the proof asks: each of the names is put by all writers at the same time.
inline constexpr int kProofNames = 20;
inline constexpr int kProofWriters = 16;

// Exactly once rests on PutIfAbsent. A store that looks first and writes afterwards refuses a late
// put, but lets all through that come together; therefore the proof has them come together. For
// each name exactly one writer may win, and the name must then hold what that writer put.
//
// Works on objects `folder`/.put-if-absent-<uuid>-*, and removes them, together with those that a
// killed proof left there over an hour ago. Creates the bucket if it is missing. Some 365 requests,
// most of them 64 at a time, which take about 15 round trips; after 30 s it begins no further race.
//
// Invalid: the store let two writers win, or lost what the winner put. IOError: too few replies
// came for a verdict. Blocking; one call at a time for each store object.
Status RacePutIfAbsent(ObjectStore* store, const std::string& folder);

// Every writer calls this before its first commit. Runs the race above if the store is remote and
// has not passed it yet: it is run once for each store object.
Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder);

}  // namespace shopstream::lake
