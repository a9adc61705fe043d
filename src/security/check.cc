#include "security/check.h"

#include <map>
#include <ranges>

#include "base/format.h"
#include "kafka/access_probe.h"

namespace shopstream::security {

KafkaConfig LoggedInAs(KafkaConfig config, const std::string& user, const std::string& password) {
  auto& security = config.security;
  security.emplace("security.protocol", "SASL_SSL");
  security.emplace("sasl.mechanism", "SCRAM-SHA-512");
  security["sasl.username"] = user;
  security["sasl.password"] = password;
  return config;
}

Result<std::vector<Act>> CheckRole(const KafkaConfig& config, const Role& role,
                                   const std::vector<kafka::Resource>& resources) {
  const auto protocol = config.security.find("security.protocol");
  // By a client's certificate, or without a login, each user would be the same one.
  if (protocol == config.security.end() || !ToLower(protocol->second).starts_with("sasl_")) {
    return Status::Invalid(
        "the check logs in as each user by its password, and this configuration's protocol has no "
        "login: name one with kafka.security.security.protocol SASL_SSL");
  }
  ARROW_ASSIGN_OR_RAISE(const auto probe, kafka::AccessProbe::Open(config));
  std::map<kafka::Resource, kafka::Access> tried;
  // Groups before topics: Kafka creates __consumer_offsets when it is first asked for a group.
  for (const kafka::Resource& resource : resources | std::views::reverse) {
    ARROW_ASSIGN_OR_RAISE(tried[resource], probe->Try(resource));
  }
  return Compare(role, tried);
}

}  // namespace shopstream::security
