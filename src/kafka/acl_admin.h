#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/acl.h"

struct rd_kafka_AclBinding_s;

namespace shopstream::kafka {

// An ACL as the brokers have it, in the words of Kafka's tools.
struct AclBinding {
  std::string principal;   // "User:alice"
  std::string permission;  // "ALLOW" or "DENY"
  std::string operation;   // "READ"
  std::string resource;    // "TOPIC"; "CLUSTER"
  std::string name;
  std::string pattern;  // "LITERAL" or "PREFIXED"
  std::string host;     // "*": any.

  auto operator<=>(const AclBinding&) const = default;
};
// "ALLOW User:alice READ on TOPIC orders (LITERAL) from *"
std::string TextOf(const AclBinding& binding);

// Users who log in by SCRAM-SHA-512, and ACLs. Every call blocks and is bounded by the timeout.
// Needs ALTER on the cluster. Thread-safe.
class AclAdmin {
 public:
  // Refused: the user has no ALTER on the cluster.
  static Result<std::unique_ptr<AclAdmin>> Open(const KafkaConfig& config,
                                                Millis timeout = Millis{10000});
  ~AclAdmin();

  // The ACLs of a principal that allow something, from any host. Those that deny, or that name a
  // host, are left out, as are resource types that we do not know.
  Result<std::set<Acl>> AclsOf(const std::string& principal);
  Status Create(const std::vector<Acl>& acls);
  // All that the brokers have; a warning counts those with a resource type or an operation that the
  // client does not know, which are left out. Nothing: they have no authorizer, so everybody may do
  // everything.
  Result<std::optional<std::set<AclBinding>>> AllAcls();
  // Invalid: a word of a binding is not known here; none is created then.
  Status CreateBindings(const std::vector<AclBinding>& bindings);
  // Those of `names` who have a password for SCRAM-SHA-512.
  Result<std::set<std::string>> UsersAmong(const std::vector<std::string>& names);
  // Creates the user, or replaces the password. The brokers get a salted hash.
  Status SetPassword(const std::string& user, const std::string& password);

 private:
  struct Impl;
  Status CreateRaw(std::vector<rd_kafka_AclBinding_s*> raw, const std::vector<std::string>& texts);
  explicit AclAdmin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
