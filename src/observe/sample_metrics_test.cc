#include "observe/sample_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace shopstream::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

template <typename T>
Seen<T> JustSeen(T value) {
  Seen<T> seen;
  seen.value = std::make_shared<const T>(std::move(value));
  seen.unknown.clear();
  seen.at_ms = 1'761'300'000'500;
  seen.took = Millis{20};
  return seen;
}

class SampleMetricsTest : public testing::Test {
 protected:
  std::string Shown(const Sample& sample) {
    metrics_.Show(sample);
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, registry_.Collect());
    return text.str();
  }

  prometheus::Registry registry_;
  SampleMetrics metrics_{&registry_, {.all_topics = true, .all_groups = true}};
};

TEST(AllSampleMetrics, AreInTheOrderOfTheirNumbersAndNamedAsPrometheusWants) {
  int64_t number = 0;
  for (const SampleMetricHelp& metric : AllSampleMetrics()) {
    const std::string name = metric.name;
    EXPECT_EQ(static_cast<int64_t>(metric.metric), number++);
    EXPECT_TRUE(name.starts_with("shopstream_")) << name;
    EXPECT_FALSE(name.ends_with("_total")) << name << ": it is no counter";
  }
}

TEST_F(SampleMetricsTest, NothingKnownHasNoGaugeButTheParts) {
  const std::string text = Shown({});
  EXPECT_THAT(text, HasSubstr("shopstream_observe_part_known{part=\"brokers\"} 0"));
  EXPECT_THAT(text, Not(HasSubstr("shopstream_lag_records{")));
  EXPECT_THAT(text, Not(HasSubstr("shopstream_registry_up ")));  // Nobody has asked it yet.
  EXPECT_THAT(text, Not(HasSubstr("shopstream_observe_part_seconds{")));
}

TEST_F(SampleMetricsTest, ShowsTheLagOfEachPartition) {
  Sample sample{.topic = "t", .group = "g"};
  LagSample lag{.partition = 2,
                .unknown = "",
                .next = 40,
                .records = 60,
                .seconds = 1.5,
                .rates = {.in = 10, .out = 0},
                .clear_seconds = std::numeric_limits<double>::infinity(),
                .expired = 3};
  sample.lag = JustSeen(LagsSample{{lag}});
  std::string text = Shown(sample);
  const std::string labels = "{partition=\"2\",topic=\"t\"} ";
  EXPECT_THAT(text, HasSubstr("shopstream_lag_records" + labels + "60\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_lag_seconds" + labels + "1.5\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_lag_clear_seconds" + labels + "+Inf\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_lag_out_per_second" + labels + "0\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_lag_expired_records" + labels + "3\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_lake_next_offset" + labels + "40\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_partition_stopped" + labels + "0\n"));

  lag.seconds.reset();
  sample.lag = JustSeen(LagsSample{{lag}});
  text = Shown(sample);
  EXPECT_THAT(text, Not(HasSubstr("shopstream_lag_seconds{")));
  EXPECT_THAT(text, HasSubstr("shopstream_lag_records" + labels + "60\n"));

  sample.lag = {};
  EXPECT_THAT(Shown(sample), Not(HasSubstr("shopstream_lag_records{")));
}

TEST_F(SampleMetricsTest, ShowsBrokersAndTheirLeadership) {
  Sample sample{.topic = "t", .group = "g"};
  BrokersSample brokers{.cluster_unknown = "", .controller = 2, .brokers = {}};
  brokers.brokers.push_back({.id = 1, .address = "a:1", .registered = true, .up = true});
  brokers.brokers.push_back({.id = 2, .address = "b:2", .registered = false, .up = false});
  sample.brokers = JustSeen(std::move(brokers));
  TopicSample topic{.name = "t", .id = "T", .partitions = {}};
  for (int32_t p = 0; p < 3; ++p) {
    topic.partitions.push_back(
        {.state = {.id = p, .leader = p == 2 ? -1 : 1, .replicas = {1, 2}, .in_sync = {1}},
         .end = 5,
         .log_start = 1,
         .unknown = ""});
  }
  sample.topics = JustSeen(TopicsSample{.at = {}, .own_exists = true, .topics = {topic}});
  const std::string text = Shown(sample);
  EXPECT_THAT(text, HasSubstr("shopstream_brokers 1\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_broker_up{address=\"a:1\",broker=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_broker_up{address=\"b:2\",broker=\"2\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_controller_id 2\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_broker_leader_partitions{broker=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_topic_leaderless_partitions{topic=\"t\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_topic_under_replicated_partitions{topic=\"t\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_partition_leader_id{partition=\"2\",topic=\"t\"} -1\n"));
}

TEST_F(SampleMetricsTest, ATopicThatDoesNotExistHasNoPartitions) {
  Sample sample{.topic = "t", .group = "g"};
  EXPECT_THAT(Shown(sample), Not(HasSubstr("shopstream_topic_partitions{")));  // Not known.
  sample.topics = JustSeen(TopicsSample{.at = {}, .own_exists = false, .topics = {}});
  EXPECT_THAT(Shown(sample), HasSubstr("shopstream_topic_partitions{topic=\"t\"} 0\n"));
}

TEST_F(SampleMetricsTest, ShowsTablesAndQuarantine) {
  Sample sample{.topic = "t", .group = "g"};
  sample.tables["bronze"] = JustSeen(TableSample{.exists = true,
                                                 .version = 7,
                                                 .files = 4,
                                                 .bytes = 100,
                                                 .small_files = 3,
                                                 .rows = 9,
                                                 .committed_ms = 1'761'300'000'250});
  sample.tables["absent"] = JustSeen(TableSample{});
  sample.quarantine = JustSeen(QuarantineSample{{{"corrupt", 5}}});
  const std::string text = Shown(sample);
  EXPECT_THAT(text, HasSubstr("shopstream_table_files{table=\"bronze\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_table_small_files_ratio{table=\"bronze\"} 0.75\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_table_last_commit_timestamp_seconds{table=\"bronze\"} "
                              "1761300000.25\n"));
  EXPECT_THAT(text, Not(HasSubstr("complete_through_timestamp_seconds{")));
  EXPECT_THAT(text, Not(HasSubstr("{table=\"absent\"}")));
  EXPECT_THAT(text, HasSubstr("shopstream_quarantine_rows{cause=\"corrupt\"} 5\n"));
}

TEST_F(SampleMetricsTest, ShowsGroupsAndRegistry) {
  Sample sample{.topic = "t", .group = "g"};
  GroupsSample groups;
  GroupSample& group = groups.groups.emplace_back();
  group.described.name = "g";
  group.described.state = "Stable";
  group.described.members.push_back(
      {.client_id = "c", .name = "m at h", .partitions = {{"t", {0, 1}}}});
  group.committed[{"t", 0}] = 3;
  sample.groups = JustSeen(groups);
  TopicSample topic{.name = "t", .id = "T", .partitions = {}};
  topic.partitions.push_back({.state = {.id = 0, .leader = 1, .replicas = {}, .in_sync = {}},
                              .end = 5,
                              .log_start = 1,
                              .unknown = ""});
  sample.topics = JustSeen(TopicsSample{.at = {}, .own_exists = true, .topics = {topic}});
  sample.registry = JustSeen(RegistrySample{.subjects = 2, .degraded = "read-only"});
  std::string text = Shown(sample);
  EXPECT_THAT(text, HasSubstr("shopstream_group_state{group=\"g\",state=\"Stable\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_group_members{group=\"g\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_group_assigned_partitions{group=\"g\"} 2\n"));
  EXPECT_THAT(
      text, HasSubstr("shopstream_group_lag_records{group=\"g\",partition=\"0\",topic=\"t\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_registry_up 1\n"));
  EXPECT_THAT(text, HasSubstr("shopstream_registry_degraded 1\n"));

  sample.groups = {};
  sample.registry.value = nullptr;
  text = Shown(sample);
  EXPECT_THAT(text, Not(HasSubstr("shopstream_group_state{")));
  EXPECT_THAT(text, HasSubstr("shopstream_registry_up 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("shopstream_registry_subjects ")));
}

std::string ShownIn(SampleScope scope, const Sample& sample) {
  prometheus::Registry registry;
  SampleMetrics metrics(&registry, scope);
  metrics.Show(sample);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, registry.Collect());
  return text.str();
}

TEST(SampleScope, LeavesOutOtherTopicsAndGroups) {
  Sample sample{.topic = "t", .group = "g"};
  GroupsSample groups;
  TopicsSample topics{.at = {}, .own_exists = true, .topics = {}};
  for (const char* name : {"t", "other-t"}) {
    TopicSample& topic = topics.topics.emplace_back();
    topic.name = name;
    topic.partitions.push_back({.state = {.id = 0, .leader = 1, .replicas = {}, .in_sync = {}},
                                .end = 5,
                                .log_start = 1,
                                .unknown = ""});
  }
  for (const char* name : {"g", "other-g"}) {
    GroupSample& group = groups.groups.emplace_back();
    group.described.name = name;
    group.committed = {{{"t", 0}, 3}, {{"other-t", 0}, 3}};
  }
  sample.topics = JustSeen(topics);
  sample.groups = JustSeen(groups);
  const std::string own = ShownIn({}, sample);
  EXPECT_THAT(own, HasSubstr("shopstream_topic_partitions{topic=\"t\"} 1\n"));
  EXPECT_THAT(own, HasSubstr("shopstream_broker_leader_partitions{broker=\"1\"} 2\n"));
  EXPECT_THAT(own, HasSubstr("shopstream_group_lag_records{group=\"g\",partition=\"0\""));
  EXPECT_THAT(own, Not(HasSubstr("other-")));
  const std::string all = ShownIn({.all_topics = true, .all_groups = true}, sample);
  EXPECT_THAT(all, HasSubstr("{group=\"other-g\",partition=\"0\",topic=\"other-t\"} 2\n"));
}

TEST(SampleScope, HasTheHarmedPartitionsOfOtherTopics) {
  Sample sample{.topic = "t", .group = "g"};
  TopicsSample topics{.at = {}, .own_exists = false, .topics = {}};
  const auto add = [&](const char* name, int32_t leader, std::vector<int32_t> in_sync) {
    TopicSample& topic = topics.topics.emplace_back();
    topic.name = name;
    topic.partitions.push_back(
        {.state = {.id = 0, .leader = leader, .replicas = {1, 2}, .in_sync = std::move(in_sync)},
         .end = {},
         .log_start = {},
         .unknown = ""});
  };
  add("leaderless", -1, {1, 2});
  add("behind", 1, {1});
  add("well", 1, {1, 2});
  sample.topics = JustSeen(topics);
  const std::string own = ShownIn({}, sample);
  EXPECT_THAT(own, HasSubstr("shopstream_topic_leaderless_partitions{topic=\"leaderless\"} 1\n"));
  EXPECT_THAT(own, HasSubstr("shopstream_topic_under_replicated_partitions{topic=\"behind\"} 1\n"));
  EXPECT_THAT(own, Not(HasSubstr("shopstream_topic_partitions{topic=\"leaderless\"}")));
  EXPECT_THAT(own, Not(HasSubstr("well")));
}

}  // namespace
}  // namespace shopstream::observe
