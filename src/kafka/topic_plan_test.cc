#include "kafka/topic_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::kafka {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PlanTopicTest : public testing::Test {
 protected:
  TopicSettings wanted_ = PurchaseTopicSettings("purchases");

  TopicState AsWanted() const {
    TopicState topic;
    topic.name = "purchases";
    topic.configs = wanted_.configs;
    for (int32_t p = 0; p < 3; ++p) topic.partitions.push_back({p, 1, {1, 2, 3}, {1, 2, 3}});
    return topic;
  }
};

TEST_F(PlanTopicTest, MissingTopicIsCreated) {
  auto plan = PlanTopic(wanted_, std::nullopt, 3);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->create);
  EXPECT_THAT(plan->changes, ElementsAre(HasSubstr("created topic purchases with 3 partitions"),
                                         "compression.type = snappy", "min.insync.replicas = 2",
                                         "retention.ms = 604800000"));
}

TEST_F(PlanTopicTest, NothingToDoWhereAllIsAsWanted) {
  auto plan = PlanTopic(wanted_, AsWanted(), 3);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->empty());
}

TEST_F(PlanTopicTest, OneBrokerDownDoesNotMatterToAnExistingTopic) {
  auto plan = PlanTopic(wanted_, AsWanted(), 2);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->empty());
}

TEST_F(PlanTopicTest, OnlyDifferentSettingsAreSet) {
  TopicState actual = AsWanted();
  actual.configs["retention.ms"] = "1000";
  actual.configs["segment.bytes"] = "1073741824";
  auto plan = PlanTopic(wanted_, actual, 3);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((std::map<std::string, std::string>{{"retention.ms", "604800000"}}), plan->set_configs);
  EXPECT_THAT(plan->changes, ElementsAre("retention.ms: 1000 -> 604800000"));
}

TEST_F(PlanTopicTest, FewerPartitionsAreRaised) {
  TopicState actual = AsWanted();
  actual.partitions.resize(1);
  auto plan = PlanTopic(wanted_, actual, 3);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE(plan->create);
  EXPECT_EQ(3, plan->raise_partitions_to);
}

TEST_F(PlanTopicTest, MorePartitionsAreAnErrorWithARemedy) {
  TopicState actual = AsWanted();
  actual.partitions.push_back({3, 1, {1, 2, 3}, {1, 2, 3}});
  EXPECT_THAT(PlanTopic(wanted_, actual, 3).status().ToString(),
              AllOf(HasSubstr("has 4 partitions, 3 are wanted"), HasSubstr("--partitions 4")));
}

TEST_F(PlanTopicTest, OtherReplicationFactorIsAnErrorWithARemedy) {
  TopicState actual = AsWanted();
  actual.partitions[1].replicas = {2};
  EXPECT_THAT(PlanTopic(wanted_, actual, 3).status().ToString(),
              AllOf(HasSubstr("purchases [1] has 1 replicas, 3 are wanted"),
                    HasSubstr("kafka-reassign-partitions.sh")));
}

TEST_F(PlanTopicTest, TooFewBrokersAreAnErrorWithARemedy) {
  EXPECT_THAT(PlanTopic(wanted_, std::nullopt, 2).status().ToString(),
              AllOf(HasSubstr("needs 3 brokers"), HasSubstr("2 are up"),
                    HasSubstr("--replication-factor 2")));
}

class PlanExpansionTest : public PlanTopicTest {};

TEST_F(PlanExpansionTest, RaisesThePartitionsAndChangesNothingElse) {
  TopicState actual = AsWanted();
  actual.configs["retention.ms"] = "1000";
  const auto plan = PlanExpansion(actual, 6, 3);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(6, plan->raise_partitions_to);
  EXPECT_TRUE(plan->set_configs.empty());
  EXPECT_THAT(plan->changes, ElementsAre(HasSubstr("partitions: 3 -> 6 (keys move")));
}

TEST_F(PlanExpansionTest, NothingToDoForAsManyAsThereAre) {
  EXPECT_TRUE(PlanExpansion(AsWanted(), 3, 1)->empty());
}

TEST_F(PlanExpansionTest, FewerAreRefused) {
  EXPECT_THAT(PlanExpansion(AsWanted(), 2, 3).status().ToString(),
              AllOf(HasSubstr("has 3 partitions, 2 are wanted"), HasSubstr("more than 3")));
}

TEST_F(PlanExpansionTest, TooFewBrokersForTheReplicasAreRefused) {
  EXPECT_THAT(PlanExpansion(AsWanted(), 6, 2).status().ToString(),
              AllOf(HasSubstr("3 replicas"), HasSubstr("2 brokers are up")));
  TopicState actual = AsWanted();
  for (PartitionState& partition : actual.partitions) partition.replicas = {1};
  EXPECT_EQ(6, PlanExpansion(actual, 6, 1)->raise_partitions_to);
}

}  // namespace
}  // namespace shopstream::kafka
