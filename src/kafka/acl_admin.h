#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/acl.h"

namespace shopstream::kafka {

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
  // Those of `names` who have a password for SCRAM-SHA-512.
  Result<std::set<std::string>> UsersAmong(const std::vector<std::string>& names);
  // Creates the user, or replaces the password. The brokers get a salted hash.
  Status SetPassword(const std::string& user, const std::string& password);

 private:
  struct Impl;
  explicit AclAdmin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
