#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/client.h"

namespace shopstream::kafka {

// A call that failed: the action ("creating topic x"), librdkafka's code, and its reason, which may
// be empty.
struct FailedCall {
  std::string_view what;
  int code = 0;
  std::string_view reason;
  Millis timeout{0};
  // The permission that the call needs, for the case that it was denied: "DESCRIBE on topic x".
  std::string_view needs{};
};

// The message says what failed, where, why and what to do. If no broker answered, the reason is the
// client's last trouble (LastTrouble). Refused or invalid, not unavailable, if the client has never
// reached the cluster and never will with these settings.
Status DescribeFailure(const FailedCall& call, const KafkaConfig& config, rd_kafka_s* client);

// Whether the error of a polled message means that a batch in Kafka's log cannot be read.
bool IsUnreadableBatch(int code);

// `servers`: the bootstrap servers; empty: unknown. `near`: of DidYouMean.
Status NoSuchTopic(const std::string& topic, const std::string& servers,
                   const std::string& near = "");

// Our principal at the brokers: "User:alice".
std::string Principal(const KafkaConfig& config);

}  // namespace shopstream::kafka
