#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "registry/compatibility_level.h"

// The records of the compacted topic `_schemas`, in Confluent's format: a JSON key and a JSON
// value.
//
//   {"keytype":"SCHEMA","subject":s,"version":v,"magic":1}
//       {"subject":s,"version":v,"id":i,"schema":text,"deleted":bool}
//       ["schemaType": not AVRO, "references":[{"name":n,"subject":s,"version":v}], "metadata":{},
//       "ruleSet":{}]
//   {"keytype":"CONFIG","subject":s,"magic":0}               {"compatibilityLevel":"BACKWARD",...}
//   {"keytype":"MODE","subject":s,"magic":0}                 {"mode":"READONLY"}
//   {"keytype":"DELETE_SUBJECT","subject":s,"magic":0}       {"subject":s,"version":v}
//   {"keytype":"CLEAR_SUBJECT","subject":s,"magic":0}        {"subject":s}
//   {"keytype":"NOOP","magic":0}                             {"lastId":i}, which is ours: Confluent
//                                                            looks over the value
//   CONTEXT and others, and those of subjects in another context, without meaning here
//
// Without "subject" (releases before 6.2 wrote it as null) CONFIG, MODE and CLEAR_SUBJECT are for
// all subjects.
// A null value takes back what stood under its key.
namespace shopstream::registry {

// A schema of another subject whose types this one uses.
struct SchemaReference {
  std::string name;  // The full name of the type, for Avro.
  std::string subject;
  int32_t version = 0;
  bool operator==(const SchemaReference&) const = default;
};

struct SchemaRecord {
  std::string subject;
  int32_t version = 0;
  int32_t id = 0;
  std::string schema;
  std::string type = "AVRO";
  bool deleted = false;  // Hidden from its subject, still served by id.
  std::vector<SchemaReference> references{};
  std::string metadata{}, rule_set{};  // JSON as it was given; empty: none. For clients only.
};

struct SchemaTombstone {
  std::string subject;
  int32_t version = 0;
};

// What can be set for a subject or for all of them. Nothing: as for all, or the default.
struct SubjectConfig {
  std::optional<CompatibilityLevel> level;
  std::optional<bool> normalize;
  // The property of a schema's metadata whose value must be equal for two versions to be compared.
  std::optional<std::string> compatibility_group;
  std::string others;  // A JSON object of what another registry set, kept as it is; empty: none.
  bool operator==(const SubjectConfig&) const = default;
};

struct ConfigRecord {
  std::string subject;                  // Empty: for all without one of their own.
  std::optional<SubjectConfig> config;  // Nothing: taken back.
};

enum class Mode { kReadWrite, kReadOnly, kReadOnlyOverride, kImport };
const char* Name(Mode mode);
std::optional<Mode> ParseMode(std::string_view name);  // In any case of letters.

struct ModeRecord {
  std::string subject;       // Empty: for all without one of their own.
  std::optional<Mode> mode;  // Nothing: taken back.
};

// Hides the versions of a subject.
struct SubjectDeletion {
  std::string subject;
  int32_t up_to_version = 0;
};

// Forgets the hidden versions of a subject, or of all.
struct SubjectClearance {
  std::string subject;  // Empty: all.
};

// Ids up to this one are taken, although what had them may be gone.
struct IdWatermark {
  int32_t last_id = 0;
};

using Record = std::variant<SchemaRecord, SchemaTombstone, ConfigRecord, ModeRecord,
                            SubjectDeletion, SubjectClearance, IdWatermark>;

// Nothing: a record without meaning here. Invalid: the key is one of those above but its value
// cannot be understood; ids may hide in it.
Result<std::optional<Record>> ParseRecord(std::string_view key,
                                          const std::optional<std::string>& value);

struct KeyAndValue {
  std::string key;
  std::optional<std::string> value;  // Nothing: a tombstone.
};
KeyAndValue Serialize(const Record& record);
// In their order. What an older release may have written under another key for all subjects is
// taken back first, or it would come back to life with compaction.
std::vector<KeyAndValue> SerializeAll(const std::vector<Record>& records);

}  // namespace shopstream::registry
