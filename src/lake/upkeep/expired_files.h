#pragma once

#include <cstdint>
#include <functional>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::lake {

struct ExpiredFiles {
  int64_t files = 0;  // Deleted.
  // Files removed before this time, by the remover's clock, are dealt with.
  int64_t before_ms = 0;
};

// Deletes files that a commit removed longer ago than delta.deletedFileRetentionDuration, without a
// listing: the log names them. Much sooner than Vacuum may, which cannot tell such a file from one
// of a commit in progress; what no version ever named, and what was removed long before this
// program started, is left to it. `since_ms`: before_ms of the previous call, 0 at first.
//
// Safe alongside writers: the newest version is read first, and a file that it names again, because
// somebody restored an earlier version, is no longer named as removed.
//
// IOError: the store failed; the next call deletes the rest.
Result<ExpiredFiles> DeleteExpired(Table* table, int64_t since_ms,
                                   const std::function<bool()>& stop);

}  // namespace shopstream::lake
