#include "console/api_groups.h"

#include <chrono>
#include <memory>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/number.h"
#include "console/group_answers.h"
#include "console/kafka_admin.h"
#include "console/not_allowed.h"
#include "groups/reset.h"
#include "groups/standing.h"
#include "kafka/errors.h"
#include "kafka/group_admin.h"
#include "observe/group_lag.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr Millis kGroupTimeout{5000};
constexpr Millis kAges{1500};

class Groups {
 public:
  explicit Groups(const World& world)
      : config_(world.config), sampler_(world.sampler), admin_(world.config.kafka) {}

  Result<ordered_json> List() const {
    return GroupsAnswer(sampler_.Latest(), kafka::Principal(config_.kafka));
  }
  Result<ordered_json> Show(const std::string& name);
  Result<ordered_json> History(const std::string& name, const ApiRequest& request) const;
  Result<ordered_json> Plan(const std::string& name, const nlohmann::json& body) const;
  Result<Receipt> Reset(const std::string& name, const ApiRequest& request) const;

 private:
  const Config& config_;
  observe::Sampler& sampler_;
  KafkaAdmin admin_;
};

Result<ordered_json> Groups::Show(const std::string& name) {
  KafkaConfig kafka = config_.kafka;
  kafka.group = name;
  ARROW_ASSIGN_OR_RAISE(const auto group_admin, kafka::GroupAdmin::Open(kafka, kGroupTimeout));
  ARROW_ASSIGN_OR_RAISE(const auto standing, groups::ReadGroup(kafka, group_admin.get()));
  if (name == config_.kafka.group) return LakeGroupAnswer(standing, sampler_.Latest());
  if (!standing.known()) {
    return ordered_json{{"group", name},
                        {"exists", false},
                        {"reason", groups::NoSuchGroup(kafka, group_admin.get()).message()},
                        {"remedy", "shopstream group list"}};
  }
  ARROW_ASSIGN_OR_RAISE(const auto admin, admin_.Get());
  return GroupAnswer(standing, observe::MeasureGroup(kafka, admin.get(), standing.group,
                                                     standing.committed, kAges));
}

// ?span=hour|day, of all partitions together or of one: &topic=clicks&partition=0
Result<ordered_json> Groups::History(const std::string& name, const ApiRequest& request) const {
  const std::string span = request.Query("span").empty() ? "hour" : request.Query("span");
  if (span != "hour" && span != "day") {
    return Status::Invalid("the history's 'span' is hour or day, not '", span, "'");
  }
  const std::string topic = request.Query("topic"), partition = request.Query("partition");
  if (!partition.empty() && !ParseWhole<int32_t>(partition)) {
    return Status::Invalid("the history's 'partition' is a number, not '", partition, "'");
  }
  ordered_json keys = ordered_json::array();
  std::vector<std::vector<observe::LagPoint>> points;
  sampler_.history()->With([&](observe::LagHistory* history) {
    for (const observe::LagKey& key : history->keys()) {
      if (key.group != name) continue;
      keys.push_back({{"topic", key.topic}, {"partition", key.partition}});
      const bool is_wanted = (topic.empty() || topic == key.topic) &&
                             (partition.empty() || partition == std::to_string(key.partition));
      if (!is_wanted) continue;
      points.push_back(span == "hour" ? history->Seconds(key, 0) : history->Minutes(key, 0));
    }
  });
  const auto since_boot = std::chrono::duration_cast<Millis>(BootClock::now().time_since_epoch());
  ordered_json answer =
      HistoryAnswer(points.empty() ? std::vector<observe::LagPoint>{} : SumOf(points),
                    WallClockMillis() - since_boot.count());
  const int64_t all = PartitionsSeen(sampler_.Latest(), name, topic);
  if (partition.empty()) LeaveOut(all - std::ssize(points), &answer);
  answer["group"] = name;
  answer["span"] = span;
  answer["partitions"] = std::move(keys);
  if (points.empty()) {
    answer["unknown"] =
        "the console has not seen its lag yet: it remembers what it saw itself, "
        "and of at most " +
        std::to_string(observe::LagHistory::kMostPartitions) + " partitions";
  }
  return answer;
}

Result<ordered_json> Groups::Plan(const std::string& name, const nlohmann::json& body) const {
  ARROW_ASSIGN_OR_RAISE(const auto request, ReadResetRequest(name, body));
  ARROW_ASSIGN_OR_RAISE(const auto group_admin,
                        kafka::GroupAdmin::Open(config_.kafka, kGroupTimeout));
  ARROW_ASSIGN_OR_RAISE(const auto plan,
                        groups::PlanGroupReset(config_.kafka, request, group_admin.get()));
  return PlanAnswer(plan);
}

Result<Receipt> Groups::Reset(const std::string& name, const ApiRequest& request) const {
  ARROW_RETURN_NOT_OK(CheckConfirmed(request, name));
  ARROW_ASSIGN_OR_RAISE(const auto reset, ReadResetRequest(name, request.body));
  ARROW_ASSIGN_OR_RAISE(const auto group_admin,
                        kafka::GroupAdmin::Open(config_.kafka, kGroupTimeout));
  ARROW_ASSIGN_OR_RAISE(auto plan, groups::PlanGroupReset(config_.kafka, reset, group_admin.get()));
  if (!plan.possible()) {
    for (const kafka::OffsetReset& one : plan.resets) {
      if (one.after) continue;
      return Status::Invalid("group ", name, " is not reset: partition ", one.at.partition,
                             " of topic ", one.at.topic, ": ", one.note);
    }
  }
  Receipt receipt;
  receipt.what = "reset the offsets of a group";
  receipt.subject = name;
  for (const kafka::OffsetReset& one : plan.resets) {
    const std::string place = one.at.topic + "/" + std::to_string(one.at.partition);
    (*receipt.before)[place] = one.before ? nlohmann::json(*one.before) : nlohmann::json();
  }
  const bool done = groups::ExecuteReset(name, &plan, group_admin.get());
  for (const kafka::OffsetReset& one : plan.resets) {
    const std::string place = one.at.topic + "/" + std::to_string(one.at.partition);
    (*receipt.after)[place] = one.after ? nlohmann::json(*one.after) : nlohmann::json();
  }
  *receipt.answer = PlanAnswer(plan);
  receipt.answer["done"] = done;
  if (!done) receipt.error = "not every offset is as planned";
  return receipt;
}

}  // namespace

std::vector<ApiRoute> GroupRoutes(const World& world) {
  const auto groups = std::make_shared<Groups>(world);
  return {
      {"GET", "/api/groups", "Consumer groups with state, members and lag",
       Read([groups](const ApiRequest&) { return groups->List(); })},
      {"GET", "/api/groups/*", "A group's members, assignment and lag",
       Read([groups](const ApiRequest& request) {
         return AsState(groups->Show(request.http.captures.at(0)));
       })},
      {"GET", "/api/groups/*/lag", "The history of a group's lag: an hour, or a day by minutes",
       Read([groups](const ApiRequest& request) {
         return groups->History(request.http.captures.at(0), request);
       })},
      {"POST", "/api/groups/*/reset/plan", "What a reset of the group's offsets would change",
       Read([groups](const ApiRequest& request) {
         return AsState(groups->Plan(request.http.captures.at(0), request.body));
       })},
      {"POST", "/api/groups/*/reset", "Moves a group without members to other offsets",
       Change([groups](const ApiRequest& request) {
         return groups->Reset(request.http.captures.at(0), request);
       })},
  };
}

}  // namespace shopstream::console
