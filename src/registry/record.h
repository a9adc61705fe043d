#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
//   {"keytype":"CONTEXT","tenant":"default","context":c,"magic":0}  {"tenant":...,"context":c}
//   {"keytype":"NOOP","magic":0}                             {"lastId":i,"contexts":{c:i}}
//
// NOOP has a value only in our records; Confluent's registry ignores it. Other keys have no meaning
// here.
//
// Without "subject" (releases before 6.2 wrote it as null) CONFIG and MODE apply to all subjects in
// the default context, and CLEAR_SUBJECT to all subjects in every context. A subject in another
// context is ":.context:subject" (registry/context.h); with an empty name it means all subjects of
// the context. A null value removes the record with the same key.
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
  std::string metadata{}, rule_set{};  // JSON as given; empty: none. Rules are run by clients.
};

struct SchemaTombstone {
  std::string subject;
  int32_t version = 0;
};

// Settings of a subject, of a context, or of all subjects in the default context. An unset field
// has its default, not the wider scope's value: Confluent's registry reads only one config.
struct SubjectConfig {
  std::optional<std::string> alias;  // The subject that requests for this one mean.
  std::optional<bool> normalize;
  std::optional<bool> validate_fields;  // Whether reserved fields are checked.
  std::optional<bool> validate_rules;   // For clients.
  std::optional<CompatibilityLevel> level;
  // The metadata property whose values must be equal for two versions to be compared.
  std::optional<std::string> compatibility_group;
  // JSON of metadata and rules that every new version gets, below and above its own; empty: none.
  std::string default_metadata, override_metadata, default_rule_set, override_rule_set;
  std::string others;  // A JSON object of another registry's settings, kept unchanged; empty: none.

  bool changes_schemas() const {
    return !default_metadata.empty() || !override_metadata.empty() || !default_rule_set.empty() ||
           !override_rule_set.empty();
  }
  bool operator==(const SubjectConfig&) const = default;
};

// The settings that are text, true or false, or objects, by their names in JSON.
struct ConfigMembers {
  std::pair<const char*, std::optional<std::string> SubjectConfig::*> texts[2];
  std::pair<const char*, std::optional<bool> SubjectConfig::*> flags[3];
  std::pair<const char*, std::string SubjectConfig::*> objects[4];
};
inline constexpr ConfigMembers kConfigMembers = {
    {{"alias", &SubjectConfig::alias}, {"compatibilityGroup", &SubjectConfig::compatibility_group}},
    {{"normalize", &SubjectConfig::normalize},
     {"validateFields", &SubjectConfig::validate_fields},
     {"validateRules", &SubjectConfig::validate_rules}},
    {{"defaultMetadata", &SubjectConfig::default_metadata},
     {"overrideMetadata", &SubjectConfig::override_metadata},
     {"defaultRuleSet", &SubjectConfig::default_rule_set},
     {"overrideRuleSet", &SubjectConfig::override_rule_set}}};

struct ConfigRecord {
  std::string subject;                  // Empty: all subjects in the default context.
  std::optional<SubjectConfig> config;  // Nothing: removed.
};

enum class Mode { kReadWrite, kReadOnly, kReadOnlyOverride, kImport };
const char* Name(Mode mode);
std::optional<Mode> ParseMode(std::string_view name);  // Ignores case.

struct ModeRecord {
  std::string subject;       // Empty: the default for all subjects in the default context.
  std::optional<Mode> mode;  // Nothing: removed.
};

// Soft-deletes the versions of a subject.
struct SubjectDeletion {
  std::string subject;
  int32_t up_to_version = 0;
};

// Hard-deletes the soft-deleted versions of a subject, or of all.
struct SubjectClearance {
  std::string subject;  // Empty: all, in every context.
};

struct ContextRecord {
  std::string context;
  bool removed = false;
};

// Ids up to these are taken, by context, even if their schemas no longer exist.
struct IdWatermark {
  std::map<std::string, int32_t> last_ids;
};

using Record = std::variant<SchemaRecord, SchemaTombstone, ConfigRecord, ModeRecord,
                            SubjectDeletion, SubjectClearance, ContextRecord, IdWatermark>;

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
