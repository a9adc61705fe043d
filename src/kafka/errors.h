#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "kafka/client.h"

namespace shopstream::kafka {

// The message of a failed call: the action ("creating topic x"), the client's reason and the
// remedy. `code` is librdkafka's; `reason` may be empty. After a timeout of a client that never
// reached the cluster, the message says that no broker answered.
struct FailedCall {
  std::string_view what;
  int code = 0;
  std::string_view reason;
  Millis timeout{0};
};
Status DescribeFailure(const FailedCall& call, const std::string& bootstrap_servers,
                       bool reached_cluster);

// Whether the client has ever received an answer from the cluster. Does not wait.
bool HasReachedCluster(rd_kafka_s* client);

}  // namespace shopstream::kafka
