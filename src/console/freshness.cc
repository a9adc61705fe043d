#include "console/freshness.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::console {
namespace {

// Points at which the wait of one commit's records of one partition is taken.
constexpr int64_t kMostPoints = 16;

struct Wait {
  double seconds = 0;
  double records = 0;  // That it stands for.
};

struct Last {
  int64_t next = 0;
  int64_t timestamp_ms = 0;
};

void AddWaits(const Last& before, const Last& now, int64_t committed_ms, std::vector<Wait>* waits) {
  const int64_t records = now.next - before.next;
  if (records <= 0) return;
  const double span =
      static_cast<double>(std::max<int64_t>(now.timestamp_ms - before.timestamp_ms, 0));
  const int64_t points = std::min(records, kMostPoints);
  for (int64_t i = 1; i <= points; ++i) {
    const double timestamp = static_cast<double>(now.timestamp_ms) -
                             span * static_cast<double>(points - i) / static_cast<double>(points);
    const double waited = (static_cast<double>(committed_ms) - timestamp) / 1000;
    waits->push_back(
        {std::max(waited, 0.0), static_cast<double>(records) / static_cast<double>(points)});
  }
}

// `waits` is sorted.
double Percentile(const std::vector<Wait>& waits, double total, double share) {
  double below = 0;
  for (const Wait& wait : waits) {
    below += wait.records;
    if (below >= total * share) return wait.seconds;
  }
  return waits.back().seconds;
}

}  // namespace

Freshness EstimateFreshness(const std::vector<lake::VersionRecord>& newest_first,
                            int64_t since_ms) {
  std::map<tables::ProgressKey, Last> before;
  std::vector<Wait> waits;
  for (auto record = newest_first.rbegin(); record != newest_first.rend(); ++record) {
    for (const auto& [key, next] : tables::ReadProgress(record->txns)) {
      const auto state = tables::ReadPartitionState(record->txns, key.topic_id, key.partition);
      const auto& last = state.position.last;
      if (!last || last->timestamp_ms < 0) continue;
      const Last now{next, last->timestamp_ms};
      const auto [known, is_first] = before.try_emplace(key, now);
      if (is_first) continue;
      if (record->timestamp_ms >= since_ms) {
        AddWaits(known->second, now, record->timestamp_ms, &waits);
      }
      known->second = now;
    }
  }
  if (waits.empty()) return {};
  std::ranges::sort(waits, {}, &Wait::seconds);
  double total = 0;
  for (const Wait& wait : waits) total += wait.records;
  return {Percentile(waits, total, 0.5), Percentile(waits, total, 0.99)};
}

}  // namespace shopstream::console
