#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"

namespace shopstream::registry {

struct RegisteredSchema {
  int32_t id = 0;
  int32_t version = 0;  // 0 where the call does not tell.
  std::string subject;
  std::string schema;  // Its JSON text.
};

enum class LookUpOutcome {
  kFound,
  kUnknown,      // The registry answered 404 with error_code 40403: it has no such id.
  kUnavailable,  // Anything else: refused, timed out, 5xx, 40x of another kind. Not a verdict.
};

struct LookUp {
  LookUpOutcome outcome = LookUpOutcome::kUnavailable;
  RegisteredSchema schema;
  std::string detail;  // Why it is unavailable, with the URL.
};

// Any Confluent-compatible registry. Caches found ids for good. Thread-safe.
class Client {
 public:
  static Result<std::unique_ptr<Client>> Open(const RegistryConfig& config);
  ~Client();
  LookUp ById(int32_t id);
  Result<RegisteredSchema> Latest(const std::string& subject);
  Result<RegisteredSchema> Register(const std::string& subject, const std::string& schema);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::registry
