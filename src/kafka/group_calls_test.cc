#include "kafka/group_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

namespace shopstream::kafka {
namespace {

using ::testing::HasSubstr;

// The number of the request in Kafka's protocol.
constexpr int16_t kOffsetFetch = 9;

// librdkafka's own mock brokers, inside the process, because real ones seldom give this answer.
TEST(GroupCalls, ACoordinatorThatHasMovedIsAnErrorOfTheCall) {
  KafkaConfig config;
  config.bootstrap_servers = "127.0.0.1:1";  // Nothing listens there.
  config.security["test.mock.num.brokers"] = "3";
  auto calls = AdminCalls::Open(config, Millis{20'000});
  ASSERT_TRUE(calls.ok()) << calls.status();
  rd_kafka_mock_push_request_errors(rd_kafka_handle_mock_cluster(calls->client()), kOffsetFetch, 1,
                                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  const Deed deed{"reading offsets", "DESCRIBE"};
  EXPECT_THAT(AskForOffsets(&*calls, "g", nullptr, deed).status().message(),
              HasSubstr("Not coordinator"));
  const auto next = AskForOffsets(&*calls, "g", nullptr, deed);
  EXPECT_TRUE(next.ok()) << next.status();
}

}  // namespace
}  // namespace shopstream::kafka
