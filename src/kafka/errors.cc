#include "kafka/errors.h"

#include <librdkafka/rdkafka.h>

#include <optional>

#include "base/error_kind.h"
#include "base/nearest_name.h"
#include "kafka/refused_access.h"

namespace shopstream::kafka {
namespace {

bool IsUnanswered(int code) {
  return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
         code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
         code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
         code == RD_KAFKA_RESP_ERR__RESOLVE;
}

std::string Seconds(Millis timeout) {
  const auto ms = timeout.count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

// The error of a client that has never reached the cluster.
Status NeverReached(const FailedCall& call, const KafkaConfig& config,
                    const std::optional<Trouble>& trouble) {
  if (!trouble) {
    return Unavailable(call.what, ": no Kafka broker answered at ", config.bootstrap_servers,
                       " within ", Seconds(call.timeout),
                       ", and none refused the connection: check for a broker that hangs and a ",
                       "firewall that drops packets, or correct kafka.bootstrap_servers");
  }
  const std::string remedy = RemedyFor(*trouble);
  if (trouble->kind == TroubleKind::kLogin) {
    return Refused(call.what, ": the Kafka broker ", trouble->address, " refused the login of ",
                   Principal(config), " (", trouble->reason, "): ", remedy);
  }
  const std::string why = "Kafka broker " + trouble->address + ": " + trouble->reason;
  if (trouble->lasting()) return Status::Invalid(call.what, " failed (", why, "): ", remedy);
  return Unavailable(call.what, ": no Kafka broker answered at ", config.bootstrap_servers,
                     " within ", Seconds(call.timeout), " (", why, "): ", remedy);
}

// The error of a client that has reached the cluster before: it may again.
Status NotNow(const FailedCall& call, const KafkaConfig& config, std::string_view reason,
              const std::optional<Trouble>& trouble) {
  if (!trouble) {
    return Unavailable(call.what, " at ", config.bootstrap_servers, ": no answer within ",
                       Seconds(call.timeout), " (", reason,
                       "): check that enough brokers are up, then try again");
  }
  return Unavailable(call.what, " at ", config.bootstrap_servers, ": no answer within ",
                     Seconds(call.timeout), " (Kafka broker ", trouble->address, ": ",
                     trouble->reason, "): ", RemedyFor(*trouble));
}

}  // namespace

bool IsRefusedAccess(int code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

bool IsUnreadableBatch(int code) {
  return code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
         code == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED || code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
}

Status NoSuchTopic(const std::string& topic, const std::string& servers, const std::string& near) {
  const std::string create = "create it with `shopstream topics create " + topic + "`";
  return Status::KeyError("there is no topic ", topic, servers.empty() ? "" : " at ", servers,
                          Then(near, create + ", or correct the name (kafka.topic)"));
}

std::string Principal(const KafkaConfig& config) {
  const auto& security = config.security;
  if (const auto user = security.find("sasl.username"); user != security.end()) {
    return "User:" + user->second;
  }
  for (const char* key :
       {"ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location"}) {
    if (security.contains(key)) return "the user of our client certificate";
  }
  return "User:ANONYMOUS";
}

Status DescribeFailure(const FailedCall& call, const KafkaConfig& config, rd_kafka_s* client) {
  const auto code = static_cast<rd_kafka_resp_err_t>(call.code);
  const std::string_view reason = call.reason.empty() ? rd_kafka_err2str(code) : call.reason;
  if (IsUnanswered(call.code)) {
    const bool reached = HasReachedCluster(client);
    return reached ? NotNow(call, config, reason, RecentTrouble(client))
                   : NeverReached(call, config, LastTrouble(client));
  }
  if (IsRefusedAccess(call.code)) {
    return Refused(call.what, " at ", config.bootstrap_servers, " is not allowed (", reason,
                   ") for ", Principal(config), ": grant it ",
                   call.needs.empty() ? "the permission in an ACL of the brokers" : call.needs);
  }
  if (call.code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED) {
    return Refused(call.what, ": the brokers at ", config.bootstrap_servers,
                   " refused the login of ", Principal(config), " (", reason,
                   "): ", RemedyFor({TroubleKind::kLogin, "", ""}));
  }
  return Unavailable(call.what, " at ", config.bootstrap_servers, " failed: ", reason);
}

}  // namespace shopstream::kafka
