#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/record.h"

namespace shopstream::registry {

struct RegisteredSchema {
  int32_t id = 0;
  int32_t version = 0;  // 0: not reported by this call.
  std::string subject;
  std::string schema;  // Avro: its JSON text, with the schemas that it refers to inlined.
  std::string schema_type = "AVRO";  // Or JSON, PROTOBUF.
  std::vector<SchemaReference> references = {};
  std::string raw = {};  // Its text without them, as the registry stores it.
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

// The interface to the registry for reading records. Calls block and are bounded by a timeout.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  virtual LookUp ById(int32_t id) = 0;
  // The subject's newest version. KeyError: the subject does not exist. IOError: no answer.
  virtual Result<RegisteredSchema> Latest(const std::string& subject) = 0;
};

}  // namespace shopstream::registry
