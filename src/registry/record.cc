#include "registry/record.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "base/json.h"
#include "registry/context.h"

namespace shopstream::registry {
namespace {

// Compaction compares keys byte by byte, so attributes stay in Confluent's order.
using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<Mode, const char*>, 4> kModes = {
    {{Mode::kReadWrite, "READWRITE"},
     {Mode::kReadOnly, "READONLY"},
     {Mode::kReadOnlyOverride, "READONLY_OVERRIDE"},
     {Mode::kImport, "IMPORT"}}};

std::string Subject(const Json& key) {
  return key.contains("subject") && key["subject"].is_string() ? key["subject"] : Json("");
}

Result<int32_t> PositiveInt(const Json& object, const char* name, int32_t least = 1) {
  const Json& number = object.at(name);
  if (number.is_number_integer() && number >= least &&
      number <= std::numeric_limits<int32_t>::max()) {
    return number.get<int32_t>();
  }
  return Status::Invalid(name, " is not a positive int: ", number.dump());
}

std::string TextOrNone(const Json& object, const char* name) {
  return object.contains(name) && !object[name].is_null() ? object[name].dump() : "";
}

Result<std::vector<SchemaReference>> ParseReferences(const Json& value) {
  std::vector<SchemaReference> references;
  if (!value.contains("references") || value["references"].is_null()) return references;
  for (const Json& one : value["references"]) {
    SchemaReference reference{one.at("name"), one.at("subject"), 0};
    ARROW_ASSIGN_OR_RAISE(reference.version, PositiveInt(one, "version"));
    references.push_back(std::move(reference));
  }
  return references;
}

Result<Record> ParseSchema(const Json& key, const Json& value) {
  ARROW_ASSIGN_OR_RAISE(const int32_t version, PositiveInt(key, "version"));
  if (value.is_null()) return SchemaTombstone{Subject(key), version};
  SchemaRecord record;
  record.subject = Subject(key);
  record.version = version;
  ARROW_ASSIGN_OR_RAISE(record.id, PositiveInt(value, "id"));
  record.schema = value.at("schema");
  record.deleted = value.value("deleted", false);
  if (value.contains("schemaType") && value["schemaType"].is_string()) {
    record.type = value["schemaType"];
  }
  ARROW_ASSIGN_OR_RAISE(record.references, ParseReferences(value));
  record.metadata = TextOrNone(value, "metadata");
  record.rule_set = TextOrNone(value, "ruleSet");
  return record;
}

Result<Record> ParseConfig(const Json& key, Json value) {
  ConfigRecord record{Subject(key), std::nullopt};
  if (value.is_null()) return record;
  SubjectConfig config;
  const auto take = [&](const char* name) {
    Json taken = value.contains(name) ? value.at(name) : Json();
    value.erase(name);
    return taken;
  };
  take("subject");
  const Json level = take("compatibilityLevel");
  if (!level.is_null()) {
    config.level = ParseCompatibilityLevel(level.get<std::string>());
    if (!config.level.has_value()) {
      return Status::Invalid("unknown compatibility level ", level.dump());
    }
  }
  for (const auto& [name, member] : kConfigMembers.texts) {
    const Json text = take(name);
    if (!text.is_null()) config.*member = text.get<std::string>();
  }
  for (const auto& [name, member] : kConfigMembers.flags) {
    const Json flag = take(name);
    if (!flag.is_null()) config.*member = flag.get<bool>();
  }
  for (const auto& [name, member] : kConfigMembers.objects) {
    const Json object = take(name);
    if (!object.is_null()) config.*member = object.dump();
  }
  if (!value.empty()) config.others = value.dump();
  record.config = std::move(config);
  return record;
}

Result<Record> ParseModeRecord(const Json& key, const Json& value) {
  ModeRecord record{Subject(key), std::nullopt};
  if (value.is_null() || !value.contains("mode") || value["mode"].is_null()) return record;
  const std::string name = value["mode"];
  record.mode = ParseMode(name);
  if (!record.mode.has_value()) return Status::Invalid("unknown mode ", name);
  return record;
}

Result<std::optional<Record>> ParseWatermark(const Json& value) {
  if (!value.is_object() || !value.contains("lastId")) return std::nullopt;
  IdWatermark watermark;
  ARROW_ASSIGN_OR_RAISE(watermark.last_ids[kDefaultContext], PositiveInt(value, "lastId", 0));
  if (!value.contains("contexts")) return watermark;
  const Json& contexts = value["contexts"];
  for (const auto& [context, unused] : contexts.items()) {
    ARROW_ASSIGN_OR_RAISE(watermark.last_ids[context], PositiveInt(contexts, context.c_str()));
  }
  return watermark;
}

Result<std::optional<Record>> ParseValue(const Json& key, const std::optional<std::string>& text) {
  const Json& type = key["keytype"];
  const Json value = text.has_value() && type != "NOOP" ? ParseOrderedJsonOrThrow(*text) : Json();
  if (type == "SCHEMA") return ParseSchema(key, value);
  if (type == "CONFIG") return ParseConfig(key, value);
  if (type == "MODE") return ParseModeRecord(key, value);
  if (type == "NOOP" && text.has_value()) {
    return ParseWatermark(ParseOrderedJson(*text));
  }
  if (type == "CONTEXT") {
    return ContextRecord{key.at("context").get<std::string>(), value.is_null()};
  }
  if (value.is_null()) return std::nullopt;
  if (type == "CLEAR_SUBJECT") return SubjectClearance{Subject(key)};
  if (type != "DELETE_SUBJECT") return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const int32_t version, PositiveInt(value, "version"));
  return SubjectDeletion{Subject(key), version};
}

std::string SchemaKey(const std::string& subject, int32_t version) {
  return Json{{"keytype", "SCHEMA"}, {"subject", subject}, {"version", version}, {"magic", 1}}
      .dump();
}

std::string SubjectKey(const char* type, const std::string& subject) {
  Json key = {{"keytype", type}};
  if (!subject.empty()) key["subject"] = subject;
  key["magic"] = 0;
  return key.dump();
}

std::string OldGlobalKey(const char* type) {
  return Json{{"keytype", type}, {"subject", nullptr}, {"magic", 0}}.dump();
}

KeyAndValue SerializeOne(const SchemaRecord& record) {
  Json value = {{"subject", record.subject}, {"version", record.version}, {"id", record.id}};
  if (record.type != "AVRO") value["schemaType"] = record.type;
  for (const SchemaReference& one : record.references) {
    value["references"].push_back(
        {{"name", one.name}, {"subject", one.subject}, {"version", one.version}});
  }
  if (!record.metadata.empty()) value["metadata"] = ParseOrderedJsonOrThrow(record.metadata);
  if (!record.rule_set.empty()) value["ruleSet"] = ParseOrderedJsonOrThrow(record.rule_set);
  value["schema"] = record.schema;
  value["deleted"] = record.deleted;
  return {SchemaKey(record.subject, record.version), value.dump()};
}

KeyAndValue SerializeOne(const SchemaTombstone& tombstone) {
  return {SchemaKey(tombstone.subject, tombstone.version), std::nullopt};
}

KeyAndValue SerializeOne(const ConfigRecord& record) {
  const std::string key = SubjectKey("CONFIG", record.subject);
  if (!record.config.has_value()) return {key, std::nullopt};
  const SubjectConfig& config = *record.config;
  Json value = Json::object();
  if (!record.subject.empty()) value["subject"] = record.subject;
  for (const auto& [name, member] : kConfigMembers.texts) {
    if ((config.*member).has_value()) value[name] = *(config.*member);
  }
  for (const auto& [name, member] : kConfigMembers.flags) {
    if ((config.*member).has_value()) value[name] = *(config.*member);
  }
  if (config.level.has_value()) value["compatibilityLevel"] = Name(*config.level);
  for (const auto& [name, member] : kConfigMembers.objects) {
    if (!(config.*member).empty()) value[name] = ParseOrderedJsonOrThrow(config.*member);
  }
  if (!config.others.empty()) value.update(ParseOrderedJsonOrThrow(config.others));
  return {key, value.dump()};
}

KeyAndValue SerializeOne(const ModeRecord& record) {
  const std::string key = SubjectKey("MODE", record.subject);
  if (!record.mode.has_value()) return {key, std::nullopt};
  Json value = Json::object();
  if (!record.subject.empty()) value["subject"] = record.subject;
  value["mode"] = Name(*record.mode);
  return {key, value.dump()};
}

KeyAndValue SerializeOne(const SubjectDeletion& deletion) {
  const Json value = {{"subject", deletion.subject}, {"version", deletion.up_to_version}};
  return {SubjectKey("DELETE_SUBJECT", deletion.subject), value.dump()};
}

KeyAndValue SerializeOne(const SubjectClearance& clearance) {
  Json value = Json::object();
  if (!clearance.subject.empty()) value["subject"] = clearance.subject;
  return {SubjectKey("CLEAR_SUBJECT", clearance.subject), value.dump()};
}

KeyAndValue SerializeOne(const ContextRecord& record) {
  Json value = {{"tenant", "default"}, {"context", record.context}};
  Json key = {{"keytype", "CONTEXT"}};
  key.update(value);
  key["magic"] = 0;
  if (record.removed) return {key.dump(), std::nullopt};
  return {key.dump(), value.dump()};
}

KeyAndValue SerializeOne(const IdWatermark& watermark) {
  Json value = {{"lastId", 0}};
  for (const auto& [context, last_id] : watermark.last_ids) {
    if (context == kDefaultContext) {
      value["lastId"] = last_id;
    } else {
      value["contexts"][context] = last_id;
    }
  }
  return {Json{{"keytype", "NOOP"}, {"magic", 0}}.dump(), value.dump()};
}

}  // namespace

const char* Name(Mode mode) { return kModes[static_cast<size_t>(mode)].second; }

std::optional<Mode> ParseMode(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const auto& [mode, text] : kModes) {
    if (upper == text) return mode;
  }
  return std::nullopt;
}

Result<std::optional<Record>> ParseRecord(std::string_view key,
                                          const std::optional<std::string>& value) {
  const Json parsed = ParseOrderedJson(key);
  if (!parsed.is_object() || !parsed.contains("keytype")) return std::nullopt;
  try {
    return ParseValue(parsed, value);
  } catch (const Json::exception& e) {
    return Status::Invalid("record with key ", key, ": ", e.what());
  }
}

KeyAndValue Serialize(const Record& record) {
  return std::visit([](const auto& one) { return SerializeOne(one); }, record);
}

std::vector<KeyAndValue> SerializeAll(const std::vector<Record>& records) {
  std::vector<KeyAndValue> out;
  for (const Record& record : records) {
    const auto* config = std::get_if<ConfigRecord>(&record);
    const auto* mode = std::get_if<ModeRecord>(&record);
    if (config != nullptr && config->subject.empty()) {
      out.push_back({OldGlobalKey("CONFIG"), std::nullopt});
    }
    if (mode != nullptr && mode->subject.empty()) {
      out.push_back({OldGlobalKey("MODE"), std::nullopt});
    }
    out.push_back(Serialize(record));
  }
  return out;
}

}  // namespace shopstream::registry
