#include "kafka/producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/metrics_testing.h"

namespace shopstream::kafka {
namespace {

using shopstream::testing::PageValue;
using ::testing::HasSubstr;

// librdkafka's mock brokers, inside the process.
const Properties kMockCluster = {{"test.mock.num.brokers", "3"}};

std::unique_ptr<Producer> OpenProducer(Properties overrides) {
  KafkaConfig config;
  config.bootstrap_servers = "127.0.0.1:1";  // Nothing listens there.
  auto producer = Producer::Open(config, overrides);
  EXPECT_TRUE(producer.ok()) << producer.status();
  return std::move(*producer);
}

std::vector<Message> Repeat(const Message& message, int count) {
  return std::vector<Message>(count, message);
}

const std::vector<uint8_t> kValue = {1, 2, 3};

constexpr char kBytes[] = "shopstream_producer_bytes_total";
constexpr char kDelivered[] = "shopstream_producer_delivery_seconds_count";

TEST(Producer, CountsWhatIsAcknowledged) {
  auto producer = OpenProducer(kMockCluster);
  const double bytes_before = PageValue(kBytes), delivered_before = PageValue(kDelivered);
  const auto taken = producer->SendBatch("t", Repeat({"key", kValue}, 1000));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, 1000);
  ASSERT_EQ(producer->Send("t", "key", {}).ValueOrDie(), SendOutcome::kQueued);
  ASSERT_TRUE(producer->Flush(Millis{20'000}).ok());
  const ProducerStats stats = producer->stats();
  EXPECT_EQ(stats.queued, 1001);
  EXPECT_EQ(stats.acknowledged, 1001);
  EXPECT_EQ(PageValue(kBytes), bytes_before + 1000 * 6 + 3);
  EXPECT_EQ(PageValue(kDelivered), delivered_before + 1001);
  EXPECT_EQ(stats.failed, 0);
  EXPECT_EQ(stats.first_error, "");
}

TEST(Producer, TakesUpToItsQueueAndTheRestLater) {
  Properties overrides = kMockCluster;
  overrides["queue.buffering.max.messages"] = "300";
  auto producer = OpenProducer(overrides);
  const std::vector<Message> messages = Repeat({"key", kValue}, 1000);
  int64_t sent = 0;
  bool was_full = false;
  while (sent < 1000) {
    const auto taken = producer->SendBatch("t", std::span(messages).subspan(sent));
    ASSERT_TRUE(taken.ok()) << taken.status();
    sent += *taken;
    if (sent < 1000) {
      was_full = true;
      producer->Poll(Millis{1000});
    }
  }
  EXPECT_TRUE(was_full);
  ASSERT_TRUE(producer->Flush(Millis{20'000}).ok());
  EXPECT_EQ(producer->stats().acknowledged, 1000);
}

TEST(Producer, CountsEveryMessageThatNoBrokerTakes) {
  auto producer = OpenProducer({{"message.timeout.ms", "300"}});
  ASSERT_EQ(producer->SendBatch("t", Repeat({"key", kValue}, 50)).ValueOrDie(), 50);
  ASSERT_TRUE(producer->Flush(Millis{20'000}).ok());
  const ProducerStats stats = producer->stats();
  EXPECT_EQ(stats.failed, 50);
  EXPECT_GE(PageValue(R"(shopstream_producer_failed_total{error="_MSG_TIMED_OUT"})"), 50);
  EXPECT_EQ(stats.acknowledged, 0);
  EXPECT_THAT(stats.first_error, HasSubstr("topic t"));
  EXPECT_THAT(stats.first_error, HasSubstr("no Kafka broker answered"));
  EXPECT_THAT(stats.first_error, HasSubstr("within 300 ms"));
}

TEST(Producer, GivesUpWhatIsLeftWhenAFlushEnds) {
  auto producer = OpenProducer({});
  ASSERT_EQ(producer->SendBatch("t", Repeat({"key", kValue}, 50)).ValueOrDie(), 50);
  const Status status = producer->Flush(Millis{100});
  EXPECT_TRUE(status.IsIOError());
  EXPECT_THAT(status.message(), HasSubstr("50 messages"));
  EXPECT_EQ(producer->stats().failed, 50);
}

TEST(Producer, CountsOneThatIsTooLargeAndTakesTheOthers) {
  Properties overrides = kMockCluster;
  overrides["message.max.bytes"] = "2000";
  auto producer = OpenProducer(overrides);
  const std::vector<uint8_t> large(3000);
  const std::vector<Message> messages = {{"a", kValue}, {"b", large}, {"c", kValue}};
  ASSERT_EQ(producer->SendBatch("t", messages).ValueOrDie(), 3);
  ASSERT_TRUE(producer->Flush(Millis{20'000}).ok());
  const ProducerStats stats = producer->stats();
  EXPECT_EQ(stats.queued, 3);
  EXPECT_EQ(stats.acknowledged, 2);
  EXPECT_EQ(stats.failed, 1);
  EXPECT_THAT(stats.first_error, HasSubstr("too large"));
}

TEST(Producer, RefusesAnUnknownProperty) {
  const auto producer = Producer::Open({}, {{"no.such.property", "1"}});
  EXPECT_TRUE(producer.status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::kafka
