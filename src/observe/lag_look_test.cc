#include "observe/lag_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace shopstream::observe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::Pair;

constexpr BootClock::time_point kStart{std::chrono::seconds{1000}};

PartitionSample Partition(int32_t id, std::optional<int64_t> log_start,
                          std::optional<int64_t> end) {
  PartitionSample partition;
  partition.state.id = id;
  partition.log_start = log_start;
  partition.end = end;
  if (!end) partition.unknown = "it has no leader";
  return partition;
}

TopicSample Purchases(std::vector<PartitionSample> partitions) {
  return {.name = "purchases", .id = "T", .partitions = std::move(partitions)};
}

// Bronze that has read the partitions of topic id T up to these offsets.
TableSample Bronze(const std::vector<int64_t>& next) {
  TableSample bronze;
  bronze.exists = true;
  for (size_t p = 0; p < next.size(); ++p) {
    bronze.progress[{"T", static_cast<int32_t>(p)}].next = next[p];
  }
  return bronze;
}

TopicsSample Topics(BootClock::time_point at, TopicSample own) {
  return {.at = at, .own_exists = true, .topics = {std::move(own)}};
}

template <typename T>
Seen<T> Known(T value) {
  Seen<T> seen;
  seen.value = std::make_shared<const T>(std::move(value));
  seen.unknown.clear();
  return seen;
}

TEST(CompareEnds, LagIsWhatKafkaHasAndTheLakeHasNot) {
  const LagsSample lags =
      CompareEnds(Purchases({Partition(0, 0, 100), Partition(1, 10, 50)}), Bronze({40, 50}));
  ASSERT_EQ(lags.partitions.size(), 2U);
  EXPECT_EQ(lags.partitions[0].records, 60);
  EXPECT_THAT(lags.partitions[0].next, Optional(40));
  EXPECT_EQ(lags.partitions[1].records, 0);
  EXPECT_THAT(lags.records(), Optional(60));
}

TEST(CompareEnds, WithoutALakeEverythingThatKafkaHasIsLag) {
  const LagsSample lags = CompareEnds(Purchases({Partition(0, 30, 100)}), TableSample{});
  EXPECT_EQ(lags.partitions[0].records, 70);
  EXPECT_EQ(lags.partitions[0].next, std::nullopt);
  EXPECT_EQ(lags.partitions[0].expired, 0);
}

TEST(CompareEnds, WhatKafkaRemovedUnreadIsExpiredAndNoLag) {
  const LagsSample lags = CompareEnds(Purchases({Partition(0, 70, 100)}), Bronze({40}));
  EXPECT_EQ(lags.partitions[0].expired, 30);
  EXPECT_EQ(lags.partitions[0].records, 30);
}

TEST(CompareEnds, ALakeBeyondKafkaHasNoLag) {
  EXPECT_EQ(CompareEnds(Purchases({Partition(0, 0, 10)}), Bronze({40})).partitions[0].records, 0);
}

TEST(CompareEnds, ProgressOfAnEarlierTopicOfTheNameDoesNotCount) {
  TopicSample again = Purchases({Partition(0, 0, 10)});
  again.id = "another";
  EXPECT_EQ(CompareEnds(again, Bronze({40})).partitions[0].records, 10);
}

TEST(CompareEnds, APartitionWithoutALeaderIsUnknownAndTheOthersAreNot) {
  const LagsSample lags = CompareEnds(
      Purchases({Partition(0, std::nullopt, std::nullopt), Partition(1, 0, 5)}), Bronze({1, 1}));
  EXPECT_EQ(lags.partitions[0].unknown, "it has no leader");
  EXPECT_THAT(lags.partitions[0].next, Optional(1));
  EXPECT_EQ(lags.partitions[1].records, 4);
  EXPECT_EQ(lags.records(), std::nullopt);
}

TEST(GroupLag, CountsWhatIsNotCommitted) {
  GroupSample group;
  group.committed = {{{"purchases", 0}, 70}, {{"purchases", 1}, 5}, {{"other", 0}, 1}};
  const TopicsSample topics = Topics(
      kStart, Purchases({Partition(0, 0, 100), Partition(1, 0, std::nullopt), Partition(2, 0, 9)}));
  EXPECT_THAT(GroupLag(group, topics),
              ElementsAre(Pair(kafka::TopicPartition{"purchases", 0}, 30)));
}

TEST(GroupLag, WhatKafkaRemovedIsNoLag) {
  GroupSample group;
  group.committed = {{{"purchases", 0}, 70}};
  EXPECT_THAT(GroupLag(group, Topics(kStart, Purchases({Partition(0, 90, 100)}))),
              ElementsAre(Pair(kafka::TopicPartition{"purchases", 0}, 10)));
}

TEST(RememberGroups, LeavesTheLakesOwnGroupOut) {
  GroupsSample groups;
  for (const char* name : {"ingest", "reports"}) {
    GroupSample& group = groups.groups.emplace_back();
    group.described.name = name;
    group.committed = {{{"purchases", 0}, 70}};
  }
  LagHistory history;
  RememberGroups(groups, Topics(kStart, Purchases({Partition(0, 0, 100)})), "ingest", &history);
  EXPECT_THAT(history.keys(), ElementsAre(LagKey{"reports", "purchases", 0}));
  EXPECT_EQ(history.Seconds({"reports", "purchases", 0}, 0)[0].records, 30);
}

// Nothing is behind in these, so no record is read from Kafka.
class LagLookTest : public testing::Test {
 protected:
  LagLookTest() : look_(Config(), history_) {}

  static KafkaConfig Config() {
    KafkaConfig config;
    config.topic = "purchases";
    config.group = "ingest";
    return config;
  }
  Result<LagsSample> See(int64_t second, int64_t offset) {
    const auto at = kStart + std::chrono::seconds{second};
    return look_.Look(Known(Topics(at, Purchases({Partition(0, 0, offset)}))),
                      Known(Bronze({offset})), "bronze");
  }

  std::shared_ptr<SharedHistory> history_ = std::make_shared<SharedHistory>();
  LagLook look_;
};

TEST_F(LagLookTest, AddsRatesAndHistory) {
  ASSERT_TRUE(See(0, 100).ok());
  const LagsSample lags = See(5, 600).ValueOrDie();
  EXPECT_THAT(lags.partitions[0].rates.in, Optional(100));
  EXPECT_THAT(lags.partitions[0].rates.out, Optional(100));
  EXPECT_THAT(lags.seconds(), Optional(0));
  EXPECT_THAT(lags.clear_seconds(), Optional(0));
  const auto points = history_->With([](LagHistory* history) {
    return history->Seconds({"ingest", "purchases", 0}, 0);
  });
  EXPECT_THAT(points,
              ElementsAre(LagPoint{.second = 1000, .seconds = 0},
                          LagPoint{.second = 1005, .seconds = 0, .in_rate = 100, .out_rate = 100}));
}

TEST_F(LagLookTest, SaysWhichPartIsNotKnownAndBeginsItsRatesAgain) {
  ASSERT_TRUE(See(0, 100).ok());
  Seen<TableSample> silent;
  silent.unknown = "no answer within 5 s";
  const auto unknown =
      look_.Look(Known(Topics(kStart, Purchases({Partition(0, 0, 1)}))), silent, "bronze-events");
  EXPECT_THAT(unknown.status().message(), HasSubstr("table bronze-events: no answer within 5 s"));
  EXPECT_EQ(See(10, 600).ValueOrDie().partitions[0].rates.in, std::nullopt);
}

TEST_F(LagLookTest, AMissingTopicIsUnknown) {
  const auto unknown = look_.Look(Known(TopicsSample{}), Known(Bronze({1})), "bronze");
  EXPECT_THAT(unknown.status().message(), HasSubstr("topic purchases does not exist yet"));
}

}  // namespace
}  // namespace shopstream::observe
