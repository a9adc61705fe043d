#include "lake/delta/log_cleanup.h"

#include <algorithm>
#include <limits>

#include "base/error_kind.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_name.h"
#include "lake/delta/retention.h"

namespace shopstream::lake {
namespace {

constexpr int64_t kDefaultRetentionMs = int64_t{30} * 24 * 3600 * 1000;  // Delta's own.
constexpr int kMaxListings = 5;

struct NamedObject {
  const ObjectEntry* object;
  LogName name;
};

// The newest version whose entry, and every entry before it, is no younger than the cut-off; -1:
// none.
int64_t NewestExpired(const std::vector<NamedObject>& log, int64_t cutoff_ms) {
  int64_t newest = -1;
  for (const NamedObject& each : log) {
    if (each.name.kind != LogName::Kind::kEntry) continue;
    if (each.object->modified_ms > cutoff_ms) break;
    newest = each.name.version;
  }
  return newest;
}

// The lowest version from which entries are contiguous up to the newest.
int64_t ContiguousFrom(const std::vector<NamedObject>& log) {
  int64_t from = std::numeric_limits<int64_t>::max();
  for (auto each = log.rbegin(); each != log.rend(); ++each) {
    if (each->name.kind != LogName::Kind::kEntry) continue;
    if (from != std::numeric_limits<int64_t>::max() && each->name.version != from - 1) break;
    from = each->name.version;
  }
  return from;
}

// The parts of the newest complete checkpoint at or below `version`; `*checkpoint` is its version.
std::vector<std::string> NewestCheckpoint(const std::vector<NamedObject>& log, int64_t version,
                                          int64_t* checkpoint) {
  std::map<int64_t, std::map<int64_t, std::vector<std::string>>> parts;
  for (const NamedObject& each : log) {
    if (each.name.kind == LogName::Kind::kCheckpoint && each.name.version <= version) {
      parts[each.name.version][each.name.parts].push_back(each.object->path);
    }
  }
  for (auto it = parts.rbegin(); it != parts.rend(); ++it) {
    for (const auto& [count, paths] : it->second) {
      auto complete = CompleteCheckpoints(count, paths);
      if (complete.empty()) continue;
      *checkpoint = it->first;
      return std::move(complete[0]);
    }
  }
  return {};
}

}  // namespace

int64_t LogRetentionMs(const std::map<std::string, std::string>& properties) {
  return IntervalMillis(properties, "delta.logRetentionDuration", kDefaultRetentionMs);
}

LogCleanUpPlan PlanLogCleanUp(const std::vector<ObjectEntry>& objects, int64_t cutoff_ms) {
  std::vector<NamedObject> log;
  for (const ObjectEntry& object : objects) {
    const auto name = ParseLogName(object.path);
    if (!name) continue;
    // Such a checkpoint refers to files elsewhere, so delete nothing.
    if (name->kind == LogName::Kind::kUuidCheckpoint) return {};
    log.push_back({&object, *name});
  }
  std::stable_sort(log.begin(), log.end(), [](const NamedObject& a, const NamedObject& b) {
    return a.name.version < b.name.version;
  });
  LogCleanUpPlan plan;
  int64_t checkpoint = -1;
  plan.kept_checkpoint = NewestCheckpoint(log, NewestExpired(log, cutoff_ms), &checkpoint);
  if (plan.kept_checkpoint.empty() || ContiguousFrom(log) > checkpoint + 1) return {};
  for (const NamedObject& each : log) {
    if (each.name.version < checkpoint) plan.expired.push_back(each.object->path);
  }
  if (plan.expired.empty()) return {};
  return plan;
}

namespace {

Status CheckFooters(ObjectStore* store, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    ARROW_RETURN_NOT_OK(CheckCheckpointFooter(store, part));
  }
  return Status::OK();
}

// A plan whose kept checkpoint is readable. Another clean-up with a later cutoff may delete that
// checkpoint after it was listed; the log is then listed again.
Result<LogCleanUpPlan> CheckedPlan(ObjectStore* store, const std::string& table_path,
                                   int64_t cutoff_ms) {
  for (int listing = 1;; ++listing) {
    ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(LogFolder(table_path) + "0"));
    LogCleanUpPlan plan = PlanLogCleanUp(objects, cutoff_ms);
    const Status checked = CheckFooters(store, plan.kept_checkpoint);
    if (checked.ok()) return plan;
    if (KindOf(checked) != ErrorKind::kGone || listing == kMaxListings) return checked;
  }
}

}  // namespace

Result<LogCleanUpResult> CleanUpLog(ObjectStore* store, const std::string& table_path,
                                    const std::map<std::string, std::string>& properties,
                                    int64_t now_ms, const LogCleanUpOptions& options,
                                    const std::function<bool()>& stop) {
  LogCleanUpResult result;
  // A value that is not a boolean keeps everything, like "false".
  const char* switched = "delta.enableExpiredLogCleanup";
  if (properties.contains(switched) && !PropertyIs(properties, switched, true)) return result;
  const int64_t retention_ms =
      std::max<int64_t>(LogRetentionMs(properties), options.min_retention.count());
  ARROW_ASSIGN_OR_RAISE(const LogCleanUpPlan plan,
                        CheckedPlan(store, table_path, now_ms - retention_ms));
  for (const std::string& path : plan.expired) {
    if (result.deleted == options.max_deletes || stop()) {
      result.finished = false;
      return result;
    }
    ARROW_RETURN_NOT_OK(store->Delete(path));
    ++result.deleted;
  }
  return result;
}

}  // namespace shopstream::lake
