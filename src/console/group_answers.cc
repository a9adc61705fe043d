#include "console/group_answers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/json_or_null.h"
#include "base/timestamp.h"
#include "observe/lag_look.h"

namespace shopstream::console {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using observe::LagPoint;

constexpr int64_t kSlopeSeconds = 60;

ordered_json MembersJson(const kafka::GroupDescription& group) {
  ordered_json members = ordered_json::array();
  for (const kafka::GroupMember& member : group.members) {
    members.push_back({{"member", member.name},
                       {"client_id", member.client_id},
                       {"partitions", member.partitions}});
  }
  return members;
}

ordered_json Described(const kafka::GroupDescription& group) {
  return {{"group", group.name},
          {"exists", group.exists},
          {"state", TextOrNull(group.state)},
          {"protocol", TextOrNull(group.protocol)},
          {"assignor", TextOrNull(group.assignor)},
          {"coordinator",
           group.coordinator < 0 ? ordered_json(nullptr) : ordered_json(group.coordinator)}};
}

ordered_json GroupRow(const observe::GroupSample& group, const observe::Sample& sample) {
  ordered_json row = Described(group.described);
  const bool is_lake = group.described.name == sample.group;
  row["is_lake"] = is_lake;
  if (!group.known()) row["unknown"] = group.unknown;
  row["members"] =
      group.known() ? ordered_json(group.described.members.size()) : ordered_json(nullptr);
  row["lag"] = nullptr;
  std::set<std::string> topics;
  for (const auto& [at, offset] : group.committed) topics.insert(at.topic);
  row["topics"] = topics;
  if (is_lake) {
    row["topics"] = {sample.topic};
    if (sample.lag.known()) row["lag"] = OrNull(sample.lag.value->records());
  } else if (group.known() && sample.topics.known()) {
    const auto lags = observe::GroupLag(group, *sample.topics.value);
    int64_t sum = 0;
    for (const auto& [at, lag] : lags) sum += lag;
    // A sum without some partitions would be too small.
    if (lags.size() == group.committed.size()) row["lag"] = sum;
  }
  return row;
}

std::string NoteOf(const observe::GroupPartitionLag& lag, const kafka::GroupDescription& group) {
  if (lag.beyond_kafka()) return "the committed offset is beyond Kafka's end: records were lost";
  if (lag.expired()) return "records expired before they were read";
  if (lag.member.empty() && !group.members.empty()) return "no member reads it";
  return lag.committed ? "" : "no offset is committed";
}

Status Wrong(const char* name, const char* takes) {
  return Status::Invalid("the reset's '", name, "' is ", takes);
}

bool IsOffset(const json& value) { return value.is_number_integer() && value >= 0; }
bool IsPartition(const json& value) {
  return IsOffset(value) && value <= std::numeric_limits<int32_t>::max();
}

Result<kafka::ResetTarget> TargetOf(const json& body) {
  using Kind = kafka::ResetTarget::Kind;
  const json to = body.value("to", json());
  if (to == "earliest") return kafka::ResetTarget{Kind::kEarliest, 0, {}};
  if (to == "latest") return kafka::ResetTarget{Kind::kLatest, 0, {}};
  if (to == "offset") {
    if (!IsOffset(body.value("offset", json()))) return Wrong("offset", "a number from 0");
    return kafka::ResetTarget{Kind::kOffset, body["offset"].get<int64_t>(), {}};
  }
  if (to == "time") {
    const json time = body.value("time", json());
    if (IsOffset(time)) return kafka::ResetTarget{Kind::kTime, time.get<int64_t>(), {}};
    if (!time.is_string()) return Wrong("time", "a time such as 2025-10-24T08:15:30Z");
    ARROW_ASSIGN_OR_RAISE(const int64_t millis, ParseTimestamp(time.get<std::string>()));
    if (millis < 0) return Wrong("time", "a time since 1970");
    return kafka::ResetTarget{Kind::kTime, millis, {}};
  }
  if (to != "listed") return Wrong("to", "one of earliest, latest, time, offset and listed");
  kafka::ResetTarget target{Kind::kListed, 0, {}};
  const json offsets = body.value("offsets", json());
  if (!offsets.is_array() || offsets.empty()) {
    return Wrong("offsets", "a list of topic, partition and offset");
  }
  for (const json& one : offsets) {
    const bool whole = one.is_object() && one.value("topic", json()).is_string() &&
                       IsPartition(one.value("partition", json())) &&
                       IsOffset(one.value("offset", json()));
    if (!whole) return Wrong("offsets", "a list of topic, partition and offset");
    target.listed[{one["topic"], one["partition"]}] = one["offset"];
  }
  return target;
}

Result<groups::ChosenPartitions> ChosenOf(const json& body) {
  groups::ChosenPartitions chosen;
  const json topics = body.value("topics", json());
  if (topics.is_null()) return chosen;
  constexpr char kTakes[] = "topics with lists of partitions: {\"clicks\": [0, 2]}";
  if (!topics.is_object()) return Wrong("topics", kTakes);
  for (const auto& [topic, partitions] : topics.items()) {
    if (topic.empty() || !partitions.is_array()) return Wrong("topics", kTakes);
    auto& list = chosen[topic];
    for (const json& partition : partitions) {
      if (!IsPartition(partition)) return Wrong("topics", kTakes);
      list.push_back(partition);
    }
    std::ranges::sort(list);
    list.erase(std::ranges::unique(list).begin(), list.end());
  }
  return chosen;
}

}  // namespace

ordered_json GroupsAnswer(const observe::Sample& sample, const std::string& user) {
  const auto& seen = sample.groups;
  ordered_json out = {
      {"at_ms", seen.at_ms == 0 ? ordered_json(nullptr) : ordered_json(seen.at_ms)}};
  if (!seen.known()) {
    out["unknown"] = seen.unknown;
    return out;
  }
  ordered_json& groups = out["groups"] = ordered_json::array();
  for (const observe::GroupSample& group : seen.value->groups) {
    groups.push_back(GroupRow(group, sample));
  }
  if (groups.empty()) {
    out["state"] = "not_allowed";
    out["reason"] = user + " sees no group: there is none, or it has no DESCRIBE on any";
    out["remedy"] = "shopstream consume, or ask for DESCRIBE on the groups";
  }
  return out;
}

ordered_json GroupAnswer(const groups::GroupStanding& standing,
                         const std::vector<observe::GroupPartitionLag>& lags) {
  ordered_json out = Described(standing.group);
  out["is_lake"] = standing.is_read_for_a_lake();
  out["members"] = MembersJson(standing.group);
  ordered_json& partitions = out["partitions"] = ordered_json::array();
  for (const observe::GroupPartitionLag& lag : lags) {
    ordered_json row = {{"topic", lag.at.topic},
                        {"partition", lag.at.partition},
                        {"committed", OrNull(lag.committed)},
                        {"log_start", nullptr},
                        {"end", nullptr},
                        {"lag", OrNull(lag.lag)},
                        {"lag_ms", OrNull(lag.lag_ms)},
                        {"member", TextOrNull(lag.member)}};
    if (lag.span) {
      row["log_start"] = lag.span->log_start;
      row["end"] = lag.span->end;
    }
    if (!lag.known()) row["unknown"] = lag.unknown;
    row["note"] = lag.known() ? TextOrNull(NoteOf(lag, standing.group)) : ordered_json(nullptr);
    partitions.push_back(std::move(row));
  }
  return out;
}

ordered_json LakeGroupAnswer(const groups::GroupStanding& standing, const observe::Sample& sample) {
  ordered_json out = Described(standing.group);
  out["is_lake"] = true;
  out["members"] = MembersJson(standing.group);
  if (sample.lag.known()) {
    const auto clear = sample.lag.value->clear_seconds();
    const bool never = clear && std::isinf(*clear);
    out["clear_seconds"] = never ? ordered_json(nullptr) : OrNull(clear);
    out["never_clears"] = never;
  } else {
    out["lag_unknown"] = sample.lag.unknown;
  }
  const kafka::PartitionOwners owners = kafka::OwnersOf(standing.group, sample.topic);
  ordered_json& partitions = out["partitions"] = ordered_json::array();
  if (!sample.lag.known()) return out;
  for (const observe::LagSample& lag : sample.lag.value->partitions) {
    const auto committed = standing.committed.find({sample.topic, lag.partition});
    const bool has_offset = committed != standing.committed.end() && committed->second.ok();
    const auto owner = owners.find(lag.partition);
    ordered_json row = {
        {"topic", sample.topic},
        {"partition", lag.partition},
        {"lake", OrNull(lag.next)},
        {"committed", has_offset ? ordered_json(committed->second->offset) : ordered_json(nullptr)},
        {"lag", lag.known() ? ordered_json(lag.records) : ordered_json(nullptr)},
        {"lag_ms", lag.seconds ? ordered_json(std::llround(*lag.seconds * 1000)) : ordered_json()},
        {"member", owner == owners.end() ? ordered_json(nullptr) : ordered_json(owner->second)}};
    if (!lag.known()) row["unknown"] = lag.unknown;
    row["note"] = lag.stopped ? ordered_json(
                                    "not read until an operator decides: see "
                                    "`shopstream progress show`")
                              : ordered_json(nullptr);
    partitions.push_back(std::move(row));
  }
  return out;
}

std::vector<LagPoint> SumOf(const std::vector<std::vector<LagPoint>>& partitions) {
  std::map<int64_t, std::pair<LagPoint, size_t>> sums;
  for (const auto& points : partitions) {
    for (const LagPoint& point : points) {
      const auto [found, is_new] = sums.try_emplace(point.second, point, size_t{1});
      if (is_new) continue;
      LagPoint& sum = found->second.first;
      ++found->second.second;
      const auto add = [](float a, float b) { return a < 0 || b < 0 ? -1 : a + b; };
      sum.records += point.records;
      sum.seconds =
          sum.seconds < 0 || point.seconds < 0 ? -1 : std::max(sum.seconds, point.seconds);
      sum.in_rate = add(sum.in_rate, point.in_rate);
      sum.out_rate = add(sum.out_rate, point.out_rate);
    }
  }
  std::vector<LagPoint> all;
  for (const auto& [second, sum] : sums) {
    if (sum.second == partitions.size()) all.push_back(sum.first);
  }
  return all;
}

std::optional<double> ClearSeconds(const std::vector<LagPoint>& points) {
  if (points.empty()) return std::nullopt;
  const LagPoint& last = points.back();
  if (last.records == 0) return 0;
  const auto first = std::ranges::find_if(
      points, [&](const LagPoint& point) { return point.second >= last.second - kSlopeSeconds; });
  if (first->second == last.second) return std::nullopt;
  const double per_second = static_cast<double>(first->records - last.records) /
                            static_cast<double>(last.second - first->second);
  if (per_second <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(last.records) / per_second;
}

ordered_json HistoryAnswer(const std::vector<LagPoint>& points, int64_t wall_ms_of_second_zero) {
  const auto known = [](float value) { return value < 0 ? ordered_json() : ordered_json(value); };
  ordered_json at = ordered_json::array(), records = at, seconds = at, in = at, out = at;
  for (const LagPoint& point : points) {
    at.push_back(wall_ms_of_second_zero + point.second * 1000);
    records.push_back(point.records);
    seconds.push_back(known(point.seconds));
    in.push_back(known(point.in_rate));
    out.push_back(known(point.out_rate));
  }
  const auto clear = ClearSeconds(points);
  const bool never = clear && std::isinf(*clear);
  return {{"at_ms", std::move(at)},
          {"records", std::move(records)},
          {"seconds", std::move(seconds)},
          {"in_per_second", std::move(in)},
          {"out_per_second", std::move(out)},
          {"clear_seconds", never ? ordered_json(nullptr) : OrNull(clear)},
          {"never_clears", never}};
}

int64_t PartitionsSeen(const observe::Sample& sample, const std::string& group,
                       const std::string& topic) {
  if (group == sample.group) {
    const bool is_known = sample.lag.known() && (topic.empty() || topic == sample.topic);
    return is_known ? std::ssize(sample.lag.value->partitions) : 0;
  }
  if (!sample.groups.known()) return 0;
  const auto& groups = sample.groups.value->groups;
  const auto found =
      std::ranges::find_if(groups, [&](const auto& one) { return one.described.name == group; });
  if (found == groups.end()) return 0;
  return std::ranges::count_if(found->committed, [&](const auto& committed) {
    return topic.empty() || committed.first.topic == topic;
  });
}

void LeaveOut(int64_t partitions, ordered_json* history) {
  (*history)["partitions_left_out"] = std::max<int64_t>(0, partitions);
  if (partitions <= 0) return;
  (*history)["clear_seconds"] = nullptr;
  (*history)["never_clears"] = false;
}

Result<groups::ResetRequest> ReadResetRequest(const std::string& group, const json& body) {
  groups::ResetRequest request;
  request.group = group;
  ARROW_ASSIGN_OR_RAISE(request.target, TargetOf(body));
  ARROW_ASSIGN_OR_RAISE(request.chosen, ChosenOf(body));
  if (!request.target.listed.empty() && !request.chosen.empty()) {
    return Status::Invalid("the reset's 'offsets' name the partitions: leave 'topics' out");
  }
  return request;
}

ordered_json PlanAnswer(const groups::ResetPlan& plan) {
  ordered_json rows = ordered_json::array();
  for (const kafka::OffsetReset& reset : plan.resets) {
    ordered_json row = {{"topic", reset.at.topic},
                        {"partition", reset.at.partition},
                        {"before", OrNull(reset.before)},
                        {"after", OrNull(reset.after)},
                        {"log_start", nullptr},
                        {"end", nullptr},
                        {"lag", nullptr},
                        {"note", TextOrNull(reset.note)}};
    if (reset.span) {
      row["log_start"] = reset.span->log_start;
      row["end"] = reset.span->end;
      if (reset.after) {
        row["lag"] =
            std::max<int64_t>(0, reset.span->end - std::max(*reset.after, reset.span->log_start));
      }
    }
    rows.push_back(std::move(row));
  }
  return {{"possible", plan.possible()},
          {"creates_group", plan.creates_group},
          {"left_out", plan.left_out},
          {"partitions", std::move(rows)}};
}

}  // namespace shopstream::console
