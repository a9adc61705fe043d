#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "registry/compatibility_level.h"

// The records of the compacted topic `_schemas`, in Confluent's format: a JSON key and a JSON
// value.
//
//   {"keytype":"SCHEMA","subject":s,"version":v,"magic":1}
//       {"subject":s,"version":v,"id":i,"schema":text,"deleted":bool}   ["schemaType": not AVRO]
//   {"keytype":"CONFIG","subject":s|null,"magic":0}          {"compatibilityLevel":"BACKWARD"}
//   {"keytype":"DELETE_SUBJECT","subject":s,"magic":0}       {"subject":s,"version":v}
//   {"keytype":"CLEAR_SUBJECT","subject":s,"magic":0}        {"subject":s}
//   {"keytype":"NOOP","magic":0}, MODE, CONTEXT and others   without meaning here
//
// A null value takes back what stood under its key.
namespace shopstream::registry {

struct SchemaRecord {
  std::string subject;
  int32_t version = 0;
  int32_t id = 0;
  std::string schema;
  std::string type = "AVRO";
  bool deleted = false;  // Hidden from its subject, still served by id.
};

struct SchemaTombstone {
  std::string subject;
  int32_t version = 0;
};

struct LevelRecord {
  std::string subject;                      // Empty: for all without one of their own.
  std::optional<CompatibilityLevel> level;  // Nothing: back to the default.
};

struct SubjectDeletion {
  std::string subject;
  int32_t up_to_version = 0;
  bool for_good = false;  // Ids used by nothing else are forgotten.
};

using Record = std::variant<SchemaRecord, SchemaTombstone, LevelRecord, SubjectDeletion>;

// Nothing: a record without meaning here. Invalid: the key is one of those above but its value
// cannot be understood; ids may hide in it.
Result<std::optional<Record>> ParseRecord(std::string_view key,
                                          const std::optional<std::string>& value);

struct KeyAndValue {
  std::string key, value;
};
KeyAndValue Serialize(const SchemaRecord& record);
KeyAndValue Serialize(const LevelRecord& record);  // `level` must be set.

}  // namespace shopstream::registry
