#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/acl.h"

namespace shopstream::kafka {

// What the brokers let a user do with a resource.
struct Access {
  std::map<Operation, bool> allowed;
  std::string unknown;  // Why `allowed` lacks an operation; empty: it lacks none.
};

// Finds out what the user of a configuration may do, by asking the brokers as this user. Nothing is
// changed: the brokers are asked which operations they authorize and, where they do not tell, get
// requests that they only validate. The one trace: Kafka remembers a transactional id for a week.
// Every call blocks and is bounded by the timeout.
class AccessProbe {
 public:
  // Refused: the brokers refuse the login.
  static Result<std::unique_ptr<AccessProbe>> Open(const KafkaConfig& config,
                                                   Millis timeout = Millis{10000});
  ~AccessProbe();

  // The operations of OperationsOf(resource.type), if they can be known. A topic should exist: the
  // brokers do not tell who may read or write one that does not.
  Result<Access> Try(const Resource& resource);

 private:
  struct Impl;
  explicit AccessProbe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
