#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "groups/reset.h"
#include "groups/standing.h"
#include "observe/group_lag.h"
#include "observe/lag_history.h"
#include "observe/sample.h"

namespace shopstream::console {

// From what the sampler last saw. `user`: the principal, because Kafka hides silently what it may
// not see. Pure.
nlohmann::ordered_json GroupsAnswer(const observe::Sample& sample, const std::string& user);

// One group as Kafka described it, with its members, and the lag of each partition. Pure.
nlohmann::ordered_json GroupAnswer(const groups::GroupStanding& standing,
                                   const std::vector<observe::GroupPartitionLag>& lags);
// The group of ingest, whose lag is the lake's. Pure.
nlohmann::ordered_json LakeGroupAnswer(const groups::GroupStanding& standing,
                                       const observe::Sample& sample);

// The lag of several partitions together: sums, and the greatest age. Only seconds at which all
// have a point. Ascending. Pure.
std::vector<observe::LagPoint> SumOf(const std::vector<std::vector<observe::LagPoint>>& partitions);

// How many seconds it takes until nothing is left, by the change of the lag over the last minute of
// these points; infinity: never. Nothing: unknown. Pure.
std::optional<double> ClearSeconds(const std::vector<observe::LagPoint>& points);

// How many partitions the group was last seen with, of one topic or, if it is empty, of all.
int64_t PartitionsSeen(const observe::Sample& sample, const std::string& group,
                       const std::string& topic);
// Says in a history's answer that it lacks some of the partitions: when the lag is gone is then
// unknown.
void LeaveOut(int64_t partitions, nlohmann::ordered_json* history);
nlohmann::ordered_json HistoryAnswer(const std::vector<observe::LagPoint>& points,
                                     int64_t wall_ms_of_second_zero);

// {"to": "earliest"}, "latest", {"to": "time", "time": "2025-10-24T08:15:30Z"} (or milliseconds),
// {"to": "offset", "offset": 7}, {"to": "listed", "offsets": [{"topic", "partition", "offset"}]},
// and "topics": {"clicks": [0, 2], "orders": []} for some topics and partitions. Pure. Invalid
// names the member.
Result<groups::ResetRequest> ReadResetRequest(const std::string& group, const nlohmann::json& body);

nlohmann::ordered_json PlanAnswer(const groups::ResetPlan& plan);

}  // namespace shopstream::console
