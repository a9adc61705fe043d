#include "kafka/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "kafka/group_calls.h"

namespace shopstream::kafka {
namespace {

using ::testing::HasSubstr;

// The numbers of the requests in Kafka's protocol.
constexpr int16_t kOffsetCommit = 8;
constexpr int16_t kHeartbeat = 12;
constexpr std::chrono::seconds kPatience{20};

// librdkafka's own mock brokers, inside the process: real ones give these answers only in a race.
class StaticMemberTest : public ::testing::Test {
 protected:
  void SetUp() override {
    KafkaConfig config;
    config.bootstrap_servers = "127.0.0.1:1";  // Nothing listens there.
    config.security["test.mock.num.brokers"] = "1";
    auto calls = AdminCalls::Open(config, Millis{20'000});
    ASSERT_TRUE(calls.ok()) << calls.status();
    calls_.emplace(*std::move(calls));
    brokers_ = rd_kafka_handle_mock_cluster(calls_->client());
    rd_kafka_mock_topic_create(brokers_, "t", 1, 1);
    rd_kafka_mock_group_initial_rebalance_delay_ms(brokers_, 0);
    rd_kafka_mock_start_request_tracking(brokers_);
    config.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(brokers_);
    config.security = {{"heartbeat.interval.ms", "200"}};
    config.topic = "t";
    config.group = "g";
    config.group_instance_id = "only";
    auto consumer = Consumer::Open(config, {});
    ASSERT_TRUE(consumer.ok()) << consumer.status();
    consumer_ = *std::move(consumer);
    ASSERT_TRUE(consumer_->Subscribe().ok());
    const auto begin = BootClock::now();
    for (bool assigned = false; !assigned;) {
      ASSERT_LT(BootClock::now() - begin, kPatience) << "no assignment";
      const auto polled = consumer_->Poll(Millis{20});
      ASSERT_TRUE(polled.ok()) << polled.status();
      assigned = !polled->rebalances.empty();
    }
    ASSERT_TRUE(consumer_->Assign({{0, 0}}).ok());
  }

  void Fence(int16_t request) {
    rd_kafka_mock_push_request_errors(brokers_, request, 1, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
  }

  int64_t Commits() {
    size_t count = 0;
    rd_kafka_mock_request_t** requests = rd_kafka_mock_get_requests(brokers_, &count);
    const auto commits =
        std::count_if(requests, requests + count, [](rd_kafka_mock_request_t* request) {
          return rd_kafka_mock_request_api_key(request) == kOffsetCommit;
        });
    rd_kafka_mock_request_destroy_array(requests, count);
    return commits;
  }

  std::optional<AdminCalls> calls_;  // The brokers live as long as it.
  rd_kafka_mock_cluster_t* brokers_ = nullptr;
  std::unique_ptr<Consumer> consumer_;
};

TEST_F(StaticMemberTest, ARefusedCommitDoesNotStopIt) {
  Fence(kOffsetCommit);
  const auto begin = BootClock::now();
  while (Commits() < 3) {
    ASSERT_LT(BootClock::now() - begin, kPatience);
    consumer_->CommitForDisplay({{0, 0}});
    const auto polled = consumer_->Poll(Millis{20});
    ASSERT_TRUE(polled.ok()) << polled.status();
  }
}

TEST_F(StaticMemberTest, AnotherOfTheSameNameStopsIt) {
  Fence(kHeartbeat);
  const auto begin = BootClock::now();
  Status status;
  while (status.ok() && BootClock::now() - begin < kPatience) {
    status = consumer_->Poll(Millis{20}).status();
  }
  EXPECT_THAT(status.message(), HasSubstr("joined group g as \"only\" and replaced this one"));
}

}  // namespace
}  // namespace shopstream::kafka
