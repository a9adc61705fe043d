#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"

namespace shopstream::registry {

struct RegisteredSchema {
  int32_t id = 0;
  int32_t version = 0;  // 0: not reported by this call.
  std::string subject;
  std::string schema;  // Its JSON text.
};

enum class LookUpOutcome {
  kFound,
  kUnknown,      // The registry answered 404 with error_code 40403: it has no such id.
  kUnavailable,  // Anything else: refused, timed out, 5xx, another 40x. No verdict.
};

struct LookUp {
  LookUpOutcome outcome = LookUpOutcome::kUnavailable;
  RegisteredSchema schema;
  std::string detail;  // Why it is unavailable, with the URL.
};

struct CompatibilityVerdict {
  bool compatible = false;
  bool first_version = false;        // There is nothing to be compatible with.
  std::vector<std::string> reasons;  // In the registry's words; may be empty.
};

// Client of any Confluent-compatible registry. Caches found ids permanently. Thread-safe; calls
// that reach the registry wait for each other, calls for cached ids do not.
//
// Errors: KeyError if the registry has no such subject or version, Invalid if it refuses a schema,
// otherwise IOError; each names the URL, the registry's answer and the remedy.
class Client {
 public:
  static Result<std::unique_ptr<Client>> Open(const RegistryConfig& config);
  ~Client();
  // The schema, with the schemas that it refers to inlined.
  LookUp ById(int32_t id);
  Result<RegisteredSchema> Latest(const std::string& subject);
  Result<RegisteredSchema> Register(const std::string& subject, const std::string& schema);

  Result<std::vector<std::string>> Subjects();
  Result<std::vector<int32_t>> Versions(const std::string& subject);  // Ascending.
  Result<RegisteredSchema> Version(const std::string& subject, int32_t version);
  // Whether the schema would be accepted as the subject's next version.
  Result<CompatibilityVerdict> CheckCompatible(const std::string& subject,
                                               const std::string& schema);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::registry
