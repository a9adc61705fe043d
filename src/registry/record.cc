#include "registry/record.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace shopstream::registry {
namespace {

// Compaction compares keys byte by byte, so attributes stay in Confluent's order.
using Json = nlohmann::ordered_json;

std::string Subject(const Json& key) {
  return key.contains("subject") && key["subject"].is_string() ? key["subject"] : Json("");
}

Result<int32_t> PositiveInt(const Json& object, const char* name) {
  const Json& number = object.at(name);
  if (number.is_number_integer() && number > 0 && number <= std::numeric_limits<int32_t>::max()) {
    return number.get<int32_t>();
  }
  return Status::Invalid(name, " is not a positive int: ", number.dump());
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
  return record;
}

Result<Record> ParseLevel(const Json& key, const Json& value) {
  LevelRecord record{Subject(key), std::nullopt};
  if (value.is_null() || !value.contains("compatibilityLevel") ||
      value["compatibilityLevel"].is_null()) {
    return record;
  }
  const std::string name = value["compatibilityLevel"];
  record.level = ParseCompatibilityLevel(name);
  if (!record.level.has_value()) return Status::Invalid("unknown compatibility level ", name);
  return record;
}

Result<Record> ParseDeletion(const Json& key, const Json& value) {
  SubjectDeletion deletion{Subject(key), std::numeric_limits<int32_t>::max(), true};
  if (key["keytype"] == "DELETE_SUBJECT") {
    deletion.for_good = false;
    ARROW_ASSIGN_OR_RAISE(deletion.up_to_version, PositiveInt(value, "version"));
  }
  return deletion;
}

Result<std::optional<Record>> ParseJson(const Json& key, const std::optional<std::string>& text) {
  const Json value = text.has_value() ? Json::parse(*text) : Json();
  const Json& type = key["keytype"];
  if (type == "SCHEMA") return ParseSchema(key, value);
  if (type == "CONFIG") return ParseLevel(key, value);
  const bool deletion = type == "DELETE_SUBJECT" || type == "CLEAR_SUBJECT";
  if (deletion && !value.is_null()) return ParseDeletion(key, value);
  return std::nullopt;
}

}  // namespace

Result<std::optional<Record>> ParseRecord(std::string_view key,
                                          const std::optional<std::string>& value) {
  const Json parsed = Json::parse(key, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("keytype")) return std::nullopt;
  try {
    return ParseJson(parsed, value);
  } catch (const Json::exception& e) {
    return Status::Invalid("record with key ", key, ": ", e.what());
  }
}

KeyAndValue Serialize(const SchemaRecord& record) {
  const Json key = {{"keytype", "SCHEMA"},
                    {"subject", record.subject},
                    {"version", record.version},
                    {"magic", 1}};
  Json value = {{"subject", record.subject}, {"version", record.version}, {"id", record.id}};
  if (record.type != "AVRO") value["schemaType"] = record.type;
  value["schema"] = record.schema;
  value["deleted"] = record.deleted;
  return {key.dump(), value.dump()};
}

KeyAndValue Serialize(const LevelRecord& record) {
  const Json subject = record.subject.empty() ? Json() : Json(record.subject);
  const Json key = {{"keytype", "CONFIG"}, {"subject", subject}, {"magic", 0}};
  const Json value = {{"compatibilityLevel", Name(record.level.value())}};
  return {key.dump(), value.dump()};
}

}  // namespace shopstream::registry
