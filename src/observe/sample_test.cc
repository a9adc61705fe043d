#include "observe/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <utility>

#include "base/json.h"

namespace shopstream::observe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

template <typename T>
Seen<T> See(T value) {
  Seen<T> seen;
  seen.value = std::make_shared<const T>(std::move(value));
  seen.unknown.clear();
  seen.at_ms = 1'761'300'000'000;
  seen.looks = 1;
  return seen;
}

LagSample Lag(int64_t records, double seconds) {
  return {.records = records,
          .seconds = seconds,
          .rates = {.in = 10, .out = 30},
          .clear_seconds = SecondsToClear(records, {.in = 10, .out = 30})};
}

// Everything is known and up.
Sample Healthy() {
  Sample sample{.topic = "purchases", .group = "ingest"};
  BrokersSample brokers{.cluster_unknown = "", .controller = 1, .brokers = {}};
  brokers.brokers.push_back({.id = 1, .address = "a:9092", .registered = true, .up = true});
  sample.brokers = See(std::move(brokers));
  TopicSample topic{.name = "purchases", .id = "T", .partitions = {}};
  topic.partitions.push_back(
      {.state = {.id = 0, .leader = 1, .replicas = {1, 2}, .in_sync = {1, 2}},
       .end = 10,
       .log_start = 0,
       .unknown = ""});
  sample.topics = See(TopicsSample{.at = {}, .own_exists = true, .topics = {std::move(topic)}});
  sample.groups = See(GroupsSample{});
  sample.registry = See(RegistrySample{});
  sample.tables["bronze"] = See(TableSample{.exists = true});
  sample.quarantine = See(QuarantineSample{});
  sample.lag = See(LagsSample{{Lag(10, 2)}});
  return sample;
}

TEST(Missing, IsNothingWhenEverythingIsUp) { EXPECT_THAT(Missing(Healthy()), IsEmpty()); }

TEST(Missing, IsNothingThatHasJustBeenAskedForTheFirstTime) {
  Sample sample = Healthy();
  sample.tables["new"] = {};
  sample.tables_unknown = kNoAnswerYet;
  EXPECT_THAT(Missing(sample), IsEmpty());
}

TEST(Missing, NamesEachPartAndWhy) {
  Sample sample = Healthy();
  sample.registry = {};
  sample.registry.unknown = "connection refused";
  EXPECT_THAT(Missing(sample), Contains(MissingPart{"registry", "connection refused"}));
  sample.tables["bronze"] = See(TableSample{});
  EXPECT_THAT(Missing(sample), Contains(MissingPart{"table bronze", "does not exist yet"}));
  sample.topics = See(TopicsSample{});
  EXPECT_THAT(Missing(sample), Contains(MissingPart{"topic purchases", "does not exist yet"}));
  BrokersSample brokers = *sample.brokers.value;
  brokers.brokers[0].up = false;
  brokers.brokers[0].why_down = "refused";
  sample.brokers = See(std::move(brokers));
  EXPECT_THAT(Missing(sample), Contains(MissingPart{"broker 1 at a:9092", "refused"}));
}

TEST(Missing, NamesATopicWhoseReplicasAreBehind) {
  Sample sample = Healthy();
  TopicsSample topics = *sample.topics.value;
  topics.topics[0].partitions[0].state.in_sync = {1};
  sample.topics = See(topics);
  EXPECT_THAT(Missing(sample),
              Contains(MissingPart{"topic purchases", "1 of 1 partition under-replicated"}));
  topics.topics[0].partitions[0].state.leader = -1;
  sample.topics = See(topics);
  EXPECT_THAT(Missing(sample),
              Contains(MissingPart{"topic purchases", "1 of 1 partition without a leader"}));
}

TEST(Missing, NamesAGroupThatDoesNotAnswer) {
  Sample sample = Healthy();
  GroupsSample groups;
  groups.groups.resize(2);
  groups.groups[0].described.name = "ingest";
  groups.groups[1].described.name = "reports";
  groups.groups[1].unknown = "no coordinator";
  sample.groups = See(std::move(groups));
  EXPECT_THAT(Missing(sample), ElementsAre(MissingPart{"group reports", "no coordinator"}));
}

TEST(LagsSample, TheSlowestPartitionDecides) {
  const LagsSample lags{{Lag(2000, 5), Lag(10'000, 2)}};
  EXPECT_THAT(lags.records(), Optional(12'000));
  EXPECT_THAT(lags.seconds(), Optional(5));
  EXPECT_THAT(lags.clear_seconds(), Optional(500));
}

TEST(LagsSample, IsUnknownIfAPartitionIs) {
  LagsSample lags{{Lag(1, 1), Lag(2, 2)}};
  lags.partitions[0].seconds.reset();
  EXPECT_EQ(lags.seconds(), std::nullopt);
  EXPECT_THAT(lags.records(), Optional(3));
  lags.partitions[1].unknown = "no leader";
  EXPECT_EQ(lags.records(), std::nullopt);
}

TEST(Describe, SaysHowFarBehindTheLakeIs) {
  EXPECT_EQ(Describe({{Lag(0, 0)}}), "0 behind, 10/s in, 30/s out");
  EXPECT_EQ(Describe({{Lag(2000, 5)}}),
            "2,000 behind (5.0 s), 10/s in, 30/s out, clear in 1 min 40 s");
  LagSample never = Lag(2000, 5);
  never.clear_seconds = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Describe({{never}}),
            "2,000 behind (5.0 s), 10/s in, 30/s out, never clear at these rates");
  never.unknown = "no leader";
  EXPECT_EQ(Describe({{never}}), "lag unknown in some partitions");
}

TEST(Sample, AsJsonHasNullsForWhatIsNotKnown) {
  Sample sample = Healthy();
  LagSample never = Lag(5, 1);
  never.clear_seconds = std::numeric_limits<double>::infinity();
  never.seconds.reset();
  sample.lag = See(LagsSample{{never}});
  const auto json = ParseOrderedJson(DumpJson(ToJson(sample)));
  const auto& lag = json["lag"]["partitions"][0];
  EXPECT_EQ(lag["records"], 5);
  EXPECT_TRUE(lag["seconds"].is_null() && lag["clear_seconds"].is_null());
  EXPECT_EQ(lag["never_clears"], true);
  EXPECT_TRUE(json["tables"]["bronze"]["rows"].is_null());
  EXPECT_EQ(json["tables"]["bronze"]["at"], "2025-10-24T10:00:00.000Z");
}

TEST(Sample, ItsSequenceChangesWithEachLook) {
  Sample sample = Healthy();
  const int64_t before = sample.sequence();
  EXPECT_EQ(Healthy().sequence(), before);
  ++sample.tables["bronze"].looks;
  EXPECT_NE(sample.sequence(), before);
  --sample.tables["bronze"].looks;
  sample.lag.value = nullptr;
  EXPECT_NE(sample.sequence(), before);
}

}  // namespace
}  // namespace shopstream::observe
