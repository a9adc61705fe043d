#include "kafka/errors.h"

#include <librdkafka/rdkafka.h>

#include "base/error_kind.h"

namespace shopstream::kafka {
namespace {

bool IsUnanswered(int code) {
  return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
         code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

bool IsRefusedAccess(int code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

bool IsRefusedLogin(int code) {
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
         code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

std::string Seconds(Millis timeout) {
  const auto ms = timeout.count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

Status DescribeFailure(const FailedCall& call, const std::string& bootstrap_servers,
                       bool reached_cluster) {
  if (IsUnanswered(call.code) && !reached_cluster) {
    return Unavailable("no Kafka broker answered at ", bootstrap_servers, " within ",
                       Seconds(call.timeout),
                       ": start them with ./run up, or set kafka.bootstrap_servers");
  }
  const auto code = static_cast<rd_kafka_resp_err_t>(call.code);
  const std::string_view reason = call.reason.empty() ? rd_kafka_err2str(code) : call.reason;
  if (IsUnanswered(call.code)) {
    return Unavailable(call.what, " at ", bootstrap_servers, ": no answer within ",
                       Seconds(call.timeout), " (", reason,
                       "): check that enough brokers are up (./run up), then try again");
  }
  if (IsRefusedAccess(call.code)) {
    return Refused(call.what, " at ", bootstrap_servers, " is not authorized (", reason,
                   "): let the brokers' ACLs grant it to the user in kafka.security");
  }
  if (IsRefusedLogin(call.code)) {
    return Refused(call.what, ": the brokers at ", bootstrap_servers, " refused the login (",
                   reason, "): correct kafka.security");
  }
  return Unavailable(call.what, " at ", bootstrap_servers, " failed: ", reason);
}

bool HasReachedCluster(rd_kafka_s* client) {
  char* id = rd_kafka_clusterid(client, 0);
  const bool reached = id != nullptr;
  if (reached) rd_kafka_mem_free(client, id);
  return reached;
}

}  // namespace shopstream::kafka
