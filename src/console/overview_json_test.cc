#include "console/overview_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "tables/progress.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

template <typename T>
observe::Seen<T> Known(T value) {
  observe::Seen<T> seen;
  seen.value = std::make_shared<const T>(std::move(value));
  seen.unknown.clear();
  seen.at_ms = 1000;
  seen.looks = 1;
  return seen;
}

PipelineSeen NothingSeen() {
  PipelineSeen seen;
  seen.sample.topic = "orders";
  seen.sample.group = "readers";
  return seen;
}

observe::LagSample Lag(int32_t partition, int64_t records, std::optional<double> clear) {
  observe::LagSample lag;
  lag.partition = partition;
  lag.next = 100;
  lag.records = records;
  lag.seconds = 2.5;
  lag.rates = {.in = 10, .out = 20};
  lag.clear_seconds = clear;
  return lag;
}

TEST(OverviewJson, TheUnknownIsNullAndHasAReason) {
  const ordered_json json = OverviewJson({}, NothingSeen());
  EXPECT_TRUE(json["producers"]["rate"].is_null());
  EXPECT_TRUE(json["brokers"]["up"].is_null());
  EXPECT_EQ(json["brokers"]["unknown"], observe::kNoAnswerYet);
  EXPECT_TRUE(json["topic_exists"].is_null());
  EXPECT_TRUE(json["lag"]["records"].is_null());
  EXPECT_EQ(json["lag"]["unknown"], observe::kNoAnswerYet);
  EXPECT_EQ(json["ingest"]["unknown"], observe::kNoAnswerYet);
  EXPECT_TRUE(json["freshness"]["p50_seconds"].is_null());
  EXPECT_EQ(json["freshness"]["unknown"], observe::kNoAnswerYet);
  EXPECT_EQ(json["revenue"]["unknown"], observe::kNoAnswerYet);
  EXPECT_EQ(json["commits"], ordered_json::array());
}

TEST(OverviewJson, AddsUpTheLag) {
  PipelineSeen seen = NothingSeen();
  seen.sample.lag = Known(observe::LagsSample{{Lag(0, 5, 1.0), Lag(1, 7, 3.0), Lag(2, 0, 0.0)}});
  const ordered_json json = OverviewJson({}, seen);
  EXPECT_EQ(json["lag"]["records"], 12);
  EXPECT_EQ(json["lag"]["in_rate"], 30.0);
  EXPECT_EQ(json["lag"]["out_rate"], 60.0);
  EXPECT_EQ(json["lag"]["slowest_partition"], 1);
  EXPECT_EQ(json["lag"]["clear_seconds"], 3.0);
  EXPECT_EQ(json["producers"]["rate"], 30.0);
  EXPECT_TRUE(json["lag"]["unknown"].is_null());
}

TEST(OverviewJson, ALagThatGrowsNeverClears) {
  PipelineSeen seen = NothingSeen();
  seen.sample.lag =
      Known(observe::LagsSample{{Lag(0, 5, std::numeric_limits<double>::infinity())}});
  const ordered_json json = OverviewJson({}, seen);
  EXPECT_TRUE(json["lag"]["clear_seconds"].is_null());
  EXPECT_EQ(json["lag"]["never_clears"], true);
}

TEST(OverviewJson, OneUnknownPartitionMakesTheSumUnknown) {
  PipelineSeen seen = NothingSeen();
  observe::LagSample silent = Lag(1, 0, std::nullopt);
  silent.unknown = "its leader does not answer";
  seen.sample.lag = Known(observe::LagsSample{{Lag(0, 5, 1.0), silent}});
  const ordered_json json = OverviewJson({}, seen);
  EXPECT_TRUE(json["lag"]["records"].is_null());
  EXPECT_EQ(json["lag"]["unknown"], "partition 1: its leader does not answer");
}

TEST(OverviewJson, ShowsEachPartitionWithItsLag) {
  PipelineSeen seen = NothingSeen();
  observe::TopicsSample topics;
  topics.own_exists = true;
  topics.topics = {{.name = "orders", .id = "", .partitions = {{}, {}}}};
  topics.topics[0].partitions[0].state = {0, 2, {1, 2, 3}, {2, 3}};
  topics.topics[0].partitions[0].end = 105;
  topics.topics[0].partitions[1].state = {1, -1, {1, 2, 3}, {}};
  topics.topics[0].partitions[1].unknown = "no leader";
  seen.sample.topics = Known(std::move(topics));
  seen.sample.lag = Known(observe::LagsSample{{Lag(0, 5, 1.0)}});
  const ordered_json json = OverviewJson({}, seen);
  EXPECT_EQ(json["topic_exists"], true);
  const ordered_json& first = json["partitions"][0];
  EXPECT_EQ(first["lag"], 5);
  EXPECT_EQ(first["next"], 100);
  EXPECT_EQ(first["end"], 105);
  EXPECT_EQ(first["leader"], 2);
  EXPECT_EQ(first["in_sync"], 2);
  const ordered_json& second = json["partitions"][1];
  EXPECT_TRUE(second["lag"].is_null());
  EXPECT_TRUE(second["leader"].is_null());
  EXPECT_EQ(second["unknown"], "no leader");
}

TEST(OverviewJson, GoldIsCompleteThroughTheEarliestOfItsTables) {
  PipelineSeen seen = NothingSeen();
  const Config config;
  const auto table = [&](std::optional<int64_t> through) {
    observe::TableSample sample;
    sample.exists = true;
    sample.complete_through_ms = through;
    sample.committed_ms = through;
    return Known(sample);
  };
  seen.sample.tables[config.refine.gold_folder + "/a"] = table(3000);
  seen.sample.tables[config.refine.gold_folder + "/b"] = table(2000);
  ordered_json gold = OverviewJson(config, seen)["tables"]["gold"];
  EXPECT_EQ(gold["tables"], 2);
  EXPECT_EQ(gold["complete_through_ms"], 2000);
  EXPECT_EQ(gold["committed_ms"], 3000);
  seen.sample.tables[config.refine.gold_folder + "/c"] = table(std::nullopt);
  gold = OverviewJson(config, seen)["tables"]["gold"];
  EXPECT_TRUE(gold["complete_through_ms"].is_null());
}

TEST(OverviewJson, ACommitNamesTheOffsetsThatItBrought) {
  PipelineSeen seen = NothingSeen();
  TableCommit commit;
  commit.table = "bronze-events";
  commit.record.version = 7;
  commit.record.operation = "WRITE";
  commit.txns_before = {{tables::ProgressAppId("T", 0), 1000}, {tables::ProgressAppId("T", 1), 5}};
  commit.record.txns = {{tables::ProgressAppId("T", 0), 2500},
                        {tables::ProgressAppId("T", 1), 5},
                        {tables::ProgressAppId("T", 2), 8}};
  seen.commits = Known(RecentCommits{{commit}, std::nullopt, {}});
  const ordered_json json = OverviewJson({}, seen);
  EXPECT_EQ(json["commits"][0]["detail"], "p0 1,000–2,499 · p2 to 7");
  EXPECT_EQ(json["freshness"]["unknown"], "no commit brought records in the last 300 s");
}

TEST(OverviewJson, MaskedRevenueIsNotShown) {
  PipelineSeen seen = NothingSeen();
  refine::RevenueHour hour;
  hour.revenue["EU"] = 12.5;
  seen.revenue = Known(std::vector{hour});
  EXPECT_EQ(OverviewJson({}, seen)["revenue"]["hours"].size(), 1U);
  for (const char* field : {"region", "amount", "Revenue_USD"}) {
    Config config;
    config.console.mask = {field};
    const ordered_json revenue = OverviewJson(config, seen)["revenue"];
    EXPECT_EQ(revenue["hours"].size(), 0U) << field;
    EXPECT_EQ(revenue["unknown"], "hidden by console.mask") << field;
  }
}

TEST(HealthJson, ShowsStateReasonAndRemedy) {
  const observe::ComponentHealth down{"registry", observe::HealthState::kDown, "refused",
                                      "start it"};
  EXPECT_EQ(DumpJson(HealthJson({{down, 2000, 1000}})),
            R"({"components":[{"component":"registry","state":"down","reason":"refused",)"
            R"("remedy":"start it","at_ms":2000,"since_ms":1000}]})");
}

}  // namespace
}  // namespace shopstream::console
