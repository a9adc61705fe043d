#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"
#include "registry/schema_source.h"

namespace shopstream::registry {

struct CompatibilityVerdict {
  bool compatible = false;
  bool first_version = false;        // There is nothing to be compatible with.
  std::string level;                 // "BACKWARD"; empty for a first version.
  std::vector<int32_t> versions;     // Those compared with.
  std::vector<std::string> reasons;  // In the registry's words; may be empty.
};

// Client of any Confluent-compatible registry. Caches found ids permanently. Thread-safe; calls
// that reach the registry wait for each other, calls for cached ids do not.
//
// Errors: KeyError if the registry has no such subject or version, Invalid if it refuses a schema,
// otherwise IOError; each names the URL, the registry's answer and the remedy.
class Client : public SchemaSource {
 public:
  static Result<std::unique_ptr<Client>> Open(const RegistryConfig& config);
  ~Client() override;
  LookUp ById(int32_t id) override;
  Result<RegisteredSchema> Latest(const std::string& subject) override;
  Result<RegisteredSchema> Register(const std::string& subject, const std::string& schema,
                                    const std::vector<SchemaReference>& references = {});
  // A schema of the subject with those that it refers to inlined.
  Result<std::string> Inline(const std::string& subject, const std::string& schema,
                             const std::vector<SchemaReference>& references);

  Result<std::vector<std::string>> Subjects();
  Result<std::vector<int32_t>> Versions(const std::string& subject);  // Ascending.
  Result<RegisteredSchema> Version(const std::string& subject, int32_t version);
  // The subject's compatibility level, or the registry's if it has none.
  Result<std::string> Level(const std::string& subject);
  // Whether the schema would be accepted as the subject's next version.
  Result<CompatibilityVerdict> CheckCompatible(const std::string& subject,
                                               const std::string& schema,
                                               const std::vector<SchemaReference>& references = {});

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::registry
