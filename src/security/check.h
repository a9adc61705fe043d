#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "security/access.h"
#include "security/roles.h"

namespace shopstream::security {

// The settings of a client that logs in as this user, by SCRAM-SHA-512, over TLS unless the
// settings name another protocol.
KafkaConfig LoggedInAs(KafkaConfig config, const std::string& user, const std::string& password);

// Tries everything with the role's user. `config`: of LoggedInAs. Invalid: its protocol is without
// a login by password. Refused: the brokers refuse the login.
Result<std::vector<Act>> CheckRole(const KafkaConfig& config, const Role& role,
                                   const std::vector<kafka::Resource>& resources);

}  // namespace shopstream::security
