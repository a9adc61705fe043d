#include "lake/delta/table_at.h"

#include <algorithm>

#include "base/error_kind.h"
#include "base/format.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"

namespace shopstream::lake {
namespace {

constexpr char kWhyItBegins[] = " (delta.logRetentionDuration decides how long versions are kept)";

// "version 1204 of 2025-10-24T08:00:00.000Z"
Result<std::string> DescribeVersion(ObjectStore* store, const std::string& table_path,
                                    int64_t version) {
  ARROW_ASSIGN_OR_RAISE(const auto committed_ms, CommitTime(store, table_path, version));
  return "version " + std::to_string(version) +
         (committed_ms ? " of " + FormatTimestamp(*committed_ms) : "");
}

Status NoVersion(ObjectStore* store, const std::string& table_path, int64_t version,
                 const LogSpan& span) {
  if (version > span.newest) {
    return Status::Invalid("table ", table_path, " has no version ", version,
                           ": its newest is version ", span.newest);
  }
  ARROW_ASSIGN_OR_RAISE(const auto oldest, DescribeVersion(store, table_path, span.oldest));
  return Gone("table ", table_path, " no longer has version ", version, ": its log begins at ",
              oldest, kWhyItBegins);
}

}  // namespace

Result<std::optional<int64_t>> CommitTime(ObjectStore* store, const std::string& table_path,
                                          int64_t version) {
  ARROW_ASSIGN_OR_RAISE(const auto entry, ReadLogEntry(store, table_path, version));
  if (!entry) return std::nullopt;
  if (const auto written = CommitTimestamp(*entry)) return written;
  ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(LogEntryPath(table_path, version)));
  return objects.empty() ? std::nullopt : std::optional(objects[0].modified_ms);
}

Result<std::shared_ptr<const Snapshot>> SnapshotAt(ObjectStore* store,
                                                   const std::string& table_path, int64_t version) {
  ARROW_ASSIGN_OR_RAISE(auto state, LoadStateAt(store, table_path, version));
  if (state != nullptr) return state;
  ARROW_ASSIGN_OR_RAISE(const LogSpan span, ReadLogSpan(store, table_path));
  return NoVersion(store, table_path, version, span);
}

Result<int64_t> VersionAt(ObjectStore* store, const std::string& table_path, int64_t unix_ms) {
  ARROW_ASSIGN_OR_RAISE(const LogSpan span, ReadLogSpan(store, table_path));
  // The versions up to `found` were committed by then, those from `above` on were not.
  int64_t found = span.oldest - 1;
  int64_t above = span.newest + 1;
  bool is_known = false;  // Whether `found` has an entry.
  while (found + 1 < above) {
    const int64_t middle = found + (above - found) / 2;
    ARROW_ASSIGN_OR_RAISE(const auto committed_ms, CommitTime(store, table_path, middle));
    if (committed_ms && *committed_ms > unix_ms) {
      above = middle;
    } else {
      // Only the oldest version may lack its entry, unless a clean-up has deleted it just now.
      found = middle;
      is_known = committed_ms.has_value();
    }
  }
  if (is_known) return found;
  ARROW_ASSIGN_OR_RAISE(const auto oldest,
                        DescribeVersion(store, table_path, std::min(above, span.newest)));
  if (above == 0) {
    return Status::Invalid("table ", table_path, " was created after ", FormatTimestamp(unix_ms),
                           ": its first version is ", oldest);
  }
  return Gone("table ", table_path, " has no version of ", FormatTimestamp(unix_ms),
              ": its log begins at ", oldest, kWhyItBegins);
}

}  // namespace shopstream::lake
