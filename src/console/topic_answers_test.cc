#include "console/topic_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_kind.h"
#include "base/json.h"

namespace shopstream::console {
namespace {

observe::PartitionSample Partition(int32_t id, int64_t log_start, int64_t end) {
  observe::PartitionSample partition;
  partition.state = {.id = id, .leader = 1, .replicas = {1, 2, 3}, .in_sync = {1, 2}};
  partition.log_start = log_start;
  partition.end = end;
  return partition;
}

observe::Sample World() {
  observe::Sample sample;
  sample.topic = "purchases";
  sample.group = "ingest";
  auto topics = std::make_shared<observe::TopicsSample>();
  topics->own_exists = true;
  topics->topics.push_back({"purchases", "id", {Partition(0, 10, 110)}, 5.0});
  topics->topics.push_back({"clicks", "", {Partition(0, 0, 50), Partition(1, 0, 50)}, {}});
  sample.topics.value = topics;
  auto groups = std::make_shared<observe::GroupsSample>();
  for (const char* name : {"ingest", "slow", "fast"}) {
    auto& group = groups->groups.emplace_back();
    group.described.name = name;
    group.described.exists = true;
    group.committed[{"clicks", 0}] = name == std::string("slow") ? 10 : 49;
  }
  sample.groups.value = groups;
  return sample;
}

TEST(TopicAnswersTest, TheListHasTheLagOfEachGroupTheGreatestFirst) {
  const auto answer = TopicsAnswer(World(), "User:a");
  const auto& clicks = answer["topics"][1];
  EXPECT_EQ(clicks["lags"][0]["group"], "slow");
  EXPECT_EQ(clicks["lags"][0]["records"], 40);
  EXPECT_EQ(clicks["lags"][1]["group"], "fast");
  EXPECT_EQ(clicks["lags"].size(), 2);  // Ingest reads for the lake: what it committed is no lag.
  EXPECT_EQ(clicks["under_replicated"], 2);
  EXPECT_EQ(clicks["offsets"], 100);
  EXPECT_EQ(answer["topics"][0]["in_per_second"], 5.0);
}

TEST(TopicAnswersTest, UnknownIsNullBesideAReason) {
  observe::Sample sample = World();
  const auto answer = TopicsAnswer(sample, "User:a");
  EXPECT_TRUE(answer["topics"][0]["lags"][0]["is_lake"]);
  EXPECT_TRUE(answer["topics"][0]["lags"][0]["records"].is_null());
  EXPECT_EQ(answer["lake_lag_unknown"], observe::kNoAnswerYet);
  EXPECT_TRUE(answer["topics"][0]["bytes"].is_null());
  EXPECT_TRUE(answer["topics"][1]["in_per_second"].is_null());
  sample.topics.value = nullptr;
  EXPECT_EQ(TopicsAnswer(sample, "User:a")["unknown"], observe::kNoAnswerYet);
}

TEST(TopicAnswersTest, AnEmptyListNamesThePermission) {
  observe::Sample sample;
  sample.topics.value = std::make_shared<observe::TopicsSample>();
  const auto answer = TopicsAnswer(sample, "User:alice");
  EXPECT_EQ(answer["state"], "not_allowed");
  EXPECT_THAT(answer["reason"].get<std::string>(), testing::HasSubstr("User:alice"));
}

TEST(TopicAnswersTest, APartitionWhoseLeaderIsSilentHasItsReason) {
  kafka::TopicState topic;
  topic.name = "purchases";
  topic.partitions = {{.id = 0, .leader = -1, .replicas = {1}, .in_sync = {}}};
  const auto answer = TopicAnswer(topic, {Unavailable("it has no leader")}, World());
  EXPECT_TRUE(answer["partitions"][0]["end"].is_null());
  EXPECT_EQ(answer["partitions"][0]["end_unknown"], "it has no leader");
  EXPECT_TRUE(answer["partitions"][0]["leader"].is_null());
}

TEST(TopicAnswersTest, SecretsOfTheConfigurationStayHidden) {
  kafka::TopicState topic;
  topic.configs = {{"retention.ms", "7"}, {"x", "secret"}, {"ssl.key.password", "secret"}};
  topic.own_configs = {"retention.ms"};
  topic.sensitive_configs = {"x"};
  const auto answer = ConfigurationAnswer(topic);
  EXPECT_EQ(DumpJson(answer).find("\"secret\""), std::string::npos);
  EXPECT_EQ(answer[0]["value"], "7");
  EXPECT_EQ(answer[0]["is_default"], false);
  EXPECT_EQ(answer[2]["hidden"], true);
}

TEST(TopicAnswersTest, ABrokerHasWhatItLeadsAndWhatIsOutOfSync) {
  observe::Sample sample = World();
  auto brokers = std::make_shared<observe::BrokersSample>();
  brokers->controller = 1;
  brokers->brokers = {{.id = 1, .address = "a:1", .registered = true, .up = true},
                      {.id = 3, .address = "c:3", .up = false, .why_down = "refused"}};
  sample.brokers.value = brokers;
  const auto answer = BrokersAnswer(sample);
  EXPECT_EQ(answer["brokers"][0]["leads"], 3);
  EXPECT_TRUE(answer["brokers"][0]["is_controller"]);
  EXPECT_EQ(answer["brokers"][1]["state"], "down");
  EXPECT_EQ(answer["brokers"][1]["out_of_sync"], 3);
}

}  // namespace
}  // namespace shopstream::console
