#include "refine/pass_plan.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace shopstream::refine {
namespace {

using tables::ProgressKey;
using tables::ReplayedOffsets;
using ReplayedByTopic = std::map<std::string, ReplayedOffsets>;

int64_t EndOf(const std::map<ProgressKey, int64_t>& ends, const ProgressKey& key) {
  const auto found = ends.find(key);
  return found == ends.end() ? 0 : found->second;
}

const ReplayedOffsets& Of(const ReplayedByTopic& replayed, const std::string& topic_id) {
  static const ReplayedOffsets kNone;
  const auto found = replayed.find(topic_id);
  return found == replayed.end() ? kNone : found->second;
}

// The part of the offsets below, or at and above, where each partition of the topic begins.
struct Parted {
  ReplayedOffsets below, within;
};

// `begin` and `end` of a partition: offsets between them are within, those at or above `end` in
// neither part.
template <typename Bounds>
Parted Part(const ReplayedOffsets& offsets, const Bounds& bounds) {
  Parted parts;
  offsets.ForEachRun([&](int32_t partition, int64_t first, int64_t last) {
    const auto [begin, end] = bounds(partition);
    if (first < begin) parts.below.InsertRun(partition, first, std::min(last, begin));
    if (std::max(first, begin) < std::min(last, end)) {
      parts.within.InsertRun(partition, std::max(first, begin), std::min(last, end));
    }
  });
  return parts;
}

// The first offsets, at most `most`.
ReplayedOffsets FirstOf(const ReplayedOffsets& offsets, int64_t most) {
  ReplayedOffsets first;
  offsets.ForEachRun([&](int32_t partition, int64_t begin, int64_t end) {
    const int64_t count = std::min(end - begin, most);
    if (count > 0) first.InsertRun(partition, begin, begin + count);
    most -= count;
  });
  return first;
}

Status EndsBelow(const ProgressKey& key, int64_t end, int64_t decided) {
  return Status::Invalid("Bronze ends at offset ", end, " of partition ", key.partition,
                         " of topic id ", key.topic_id, ", but Silver is refined up to ", decided,
                         ": Bronze was restored or replaced. ", kBronzeRestored);
}

// What is left of each partition. Invalid: Bronze ends below.
Result<std::map<ProgressKey, OffsetRange>> Backlog(const std::map<ProgressKey, int64_t>& decided,
                                                   const std::map<ProgressKey, int64_t>& progress) {
  std::map<ProgressKey, OffsetRange> backlog;
  for (const auto& [key, end] : progress) {
    const OffsetRange range{key.partition, EndOf(decided, key), end};
    if (range.end < range.begin) return EndsBelow(key, range.end, range.begin);
    if (!range.empty()) backlog.emplace(key, range);
  }
  for (const auto& [key, end] : decided) {
    if (end > 0 && !progress.contains(key)) return EndsBelow(key, 0, end);
  }
  return backlog;
}

// A share of each range, at least one offset.
std::map<ProgressKey, OffsetRange> Share(std::map<ProgressKey, OffsetRange> backlog, int64_t most) {
  if (most <= 0) return {};
  double total = 0;
  for (const auto& [key, range] : backlog) total += static_cast<double>(range.end - range.begin);
  if (total <= static_cast<double>(most)) return backlog;
  for (auto& [key, range] : backlog) {
    const int64_t left = range.end - range.begin;
    const double share = static_cast<double>(most) * static_cast<double>(left) / total;
    range.end = range.begin + std::clamp<int64_t>(static_cast<int64_t>(share), 1, left);
  }
  return backlog;
}

std::set<std::string> TopicIds(const std::map<ProgressKey, int64_t>& ends) {
  std::set<std::string> ids;
  for (const auto& [key, end] : ends) ids.insert(key.topic_id);
  return ids;
}

}  // namespace

Result<PassPlan> PlanPass(const tables::RefineStanding& rejects, const lake::Snapshot& bronze,
                          int64_t pass_rows) {
  PassPlan plan;
  plan.pass = rejects.pass.value_or(0) + 1;
  plan.decided_version = rejects.bronze_version;
  plan.decided_replays = rejects.replayed;
  const auto progress = tables::ReadProgress(bronze.Txns());
  ARROW_ASSIGN_OR_RAISE(const auto backlog, Backlog(rejects.ends, progress));

  ReplayedByTopic undecided;
  int64_t left = pass_rows;
  bool is_complete = true;
  for (const std::string& topic_id : TopicIds(progress)) {
    ARROW_ASSIGN_OR_RAISE(const auto replayed, tables::ReadReplayed(bronze, topic_id));
    auto rest = replayed.Without(Of(rejects.replayed, topic_id));
    const auto parts = Part(rest, [&](int32_t partition) {
      return std::pair(EndOf(rejects.ends, {topic_id, partition}), int64_t{0});
    });
    const ReplayedOffsets taken = FirstOf(parts.below, left);
    left -= taken.size();
    is_complete &= taken.size() == parts.below.size();
    if (!taken.empty()) plan.replayed.emplace(topic_id, taken);
    undecided.emplace(topic_id, std::move(rest));
  }
  plan.ranges = Share(backlog, left);
  for (const auto& [topic_id, rest] : undecided) {
    const auto parts = Part(rest, [&](int32_t partition) {
      const auto range = plan.ranges.find({topic_id, partition});
      return range == plan.ranges.end() ? std::pair<int64_t, int64_t>()
                                        : std::pair(range->second.begin, range->second.end);
    });
    const ReplayedOffsets& taken = Of(plan.replayed, topic_id);
    if (taken.empty() && parts.within.empty()) continue;
    plan.decided_replays[topic_id].Merge(taken);
    plan.decided_replays[topic_id].Merge(parts.within);
  }
  if (is_complete && plan.ranges == backlog) plan.reached_version = bronze.version();
  return plan;
}

tables::RefineStanding StandingAfter(const tables::RefineStanding& before, const PassPlan& plan) {
  tables::RefineStanding after = before;
  after.pass = plan.pass;
  for (const auto& [key, range] : plan.ranges) after.ends[key] = range.end;
  after.replayed = plan.decided_replays;
  if (plan.reached_version) after.bronze_version = plan.reached_version;
  return after;
}

PassPlan PlanOfDecided(const tables::RefineStanding& standing) {
  PassPlan plan;
  for (const auto& [key, end] : standing.ends) {
    if (end > 0) plan.ranges.emplace(key, OffsetRange{key.partition, 0, end});
  }
  plan.decided_replays = standing.replayed;
  return plan;
}

PassPlan PlanToFinish(const tables::RefineStanding& rejects, const tables::RefineStanding& silver) {
  PassPlan plan;
  plan.pass = rejects.pass.value_or(0);
  plan.decided_version = silver.bronze_version;
  plan.decided_replays = rejects.replayed;
  for (const auto& [key, end] : rejects.ends) {
    const OffsetRange range{key.partition, EndOf(silver.ends, key), end};
    if (range.begin < range.end) plan.ranges.emplace(key, range);
  }
  for (const auto& [topic_id, decided] : rejects.replayed) {
    const auto parts = Part(decided.Without(Of(silver.replayed, topic_id)), [&](int32_t partition) {
      return std::pair(EndOf(silver.ends, {topic_id, partition}), int64_t{0});
    });
    if (!parts.below.empty()) plan.replayed.emplace(topic_id, parts.below);
  }
  return plan;
}

}  // namespace shopstream::refine
