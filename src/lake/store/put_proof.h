#pragma once

#include <string>

#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Size of the proof: each of the names is put by all writers at the same time.
inline constexpr int kProofNames = 20;
inline constexpr int kProofWriters = 16;

// Exactly-once delivery depends on PutIfAbsent. A store that checks first and writes afterwards
// refuses a late put, but accepts all puts that arrive together; so the proof makes them arrive
// together. For each name exactly one writer must win, and the object must then have its content.
//
// Uses objects `folder`/.put-if-absent-<uuid>-*, and removes them, together with those of a proof
// that was killed over an hour ago. Creates the bucket if it is missing. About 365 requests, most
// of them 64 at a time, which take about 15 round trips; after 30 s it starts no further race.
//
// Invalid: the store let two writers win, or lost the winner's content. IOError: too few replies
// for a verdict. Blocking; one call at a time for each store object.
Status RacePutIfAbsent(ObjectStore* store, const std::string& folder);

// Every writer calls this before its first commit. Runs the race above if the store is remote and
// has not passed yet: once for each store object.
Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder);

}  // namespace shopstream::lake
