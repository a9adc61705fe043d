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
//                                                            ignores the value
//   CONTEXT and others, and records of subjects in another context, have no meaning here
//
// Without "subject" (releases before 6.2 wrote it as null) CONFIG, MODE and CLEAR_SUBJECT apply to
// all subjects.
// A null value removes the record with the same key.
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
  bool deleted = false;  // Soft-deleted: hidden from its subject, still served by id.
  std::vector<SchemaReference> references{};
  std::string metadata{}, rule_set{};  // JSON as given; empty: none. Used by clients only.
};

struct SchemaTombstone {
  std::string subject;
  int32_t version = 0;
};

// Settings of a subject or of all subjects. Nothing: the setting for all, or the default.
struct SubjectConfig {
  std::optional<CompatibilityLevel> level;
  std::optional<bool> normalize;
  // The metadata property whose values must be equal for two versions to be compared.
  std::optional<std::string> compatibility_group;
  std::string others;  // A JSON object of another registry's settings, kept unchanged; empty: none.
  bool operator==(const SubjectConfig&) const = default;
};

struct ConfigRecord {
  std::string subject;                  // Empty: the default for all subjects.
  std::optional<SubjectConfig> config;  // Nothing: removed.
};

enum class Mode { kReadWrite, kReadOnly, kReadOnlyOverride, kImport };
const char* Name(Mode mode);
std::optional<Mode> ParseMode(std::string_view name);  // Ignores case.

struct ModeRecord {
  std::string subject;       // Empty: the default for all subjects.
  std::optional<Mode> mode;  // Nothing: removed.
};

// Soft-deletes the versions of a subject.
struct SubjectDeletion {
  std::string subject;
  int32_t up_to_version = 0;
};

// Hard-deletes the soft-deleted versions of a subject, or of all.
struct SubjectClearance {
  std::string subject;  // Empty: all.
};

// Ids up to this one are taken, even if their schemas no longer exist.
struct IdWatermark {
  int32_t last_id = 0;
};

using Record = std::variant<SchemaRecord, SchemaTombstone, ConfigRecord, ModeRecord,
                            SubjectDeletion, SubjectClearance, IdWatermark>;

// Nothing: a record without meaning here. Invalid: the key is one of those above but the value
// cannot be understood; it may contain ids.
Result<std::optional<Record>> ParseRecord(std::string_view key,
                                          const std::optional<std::string>& value);

struct KeyAndValue {
  std::string key;
  std::optional<std::string> value;  // Nothing: a tombstone.
};
KeyAndValue Serialize(const Record& record);
// In their order. Older releases may have written settings for all subjects under another key; that
// record is removed first, because compaction would revive it.
std::vector<KeyAndValue> SerializeAll(const std::vector<Record>& records);

}  // namespace shopstream::registry
