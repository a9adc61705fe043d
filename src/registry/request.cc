#include <charconv>

#include "registry/api.h"

// What the handlers read from a request, and how they write a schema.
namespace shopstream::registry {

using nlohmann::json;

std::optional<int32_t> ParseInt(std::string_view text) {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::variant<int32_t, RestError> ParseVersion(const std::string& text) {
  if (text == "latest" || text == "-1") return kLatest;
  const auto number = ParseInt(text);
  if (number.has_value() && *number > 0) return *number;
  return RestError{kInvalidVersion,
                   "The specified version '" + text +
                       "' is not a valid version id. Allowed values are between [1, 2^31-1] and "
                       "the string \"latest\""};
}

bool IsTrue(const HttpRequest& request, const char* name) {
  const std::string value = request.query(name);
  return value == "true" || value == "True" || value == "TRUE";
}

Which WhichVersions(const HttpRequest& request) {
  if (IsTrue(request, "deletedOnly")) return Which::kDeletedOnly;
  return IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
}

std::string InDefaultContext(const std::string& subject) {
  for (const std::string_view prefix : {":.:", ":*:"}) {
    if (subject.starts_with(prefix)) return subject.substr(prefix.size());
  }
  return subject;
}

std::string SubjectOf(const HttpRequest& request) {
  return request.captures.empty() ? "" : InDefaultContext(request.captures.front());
}

namespace {

// A record's key is JSON, which must be UTF-8.
bool IsUtf8(const std::string& text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::exception&) {
    return false;
  }
}

}  // namespace

std::optional<RestError> CheckSubject(const std::string& subject) {
  const bool control = std::ranges::any_of(subject, [](unsigned char c) { return c < 0x20; });
  const bool other_context = subject.starts_with(":.") || subject.starts_with(":*");
  if (!subject.empty() && !control && !other_context && subject != "__GLOBAL" &&
      subject != "__EMPTY" && IsUtf8(subject)) {
    return std::nullopt;
  }
  return RestError{kInvalidSubject, "The specified subject '" + subject + "' is not a valid."};
}

json SchemaAlone(const std::string& text) {
  json schema = ParseJson(text);
  return schema.is_discarded() ? json(text) : schema;
}

json SchemaToJson(const SchemaRecord& record) {
  json out = {{"schema", record.schema}};
  if (record.type != "AVRO") out["schemaType"] = record.type;
  for (const SchemaReference& one : record.references) {
    out["references"].push_back(
        {{"name", one.name}, {"subject", one.subject}, {"version", one.version}});
  }
  if (!record.metadata.empty()) out["metadata"] = ParseJson(record.metadata);
  if (!record.rule_set.empty()) out["ruleSet"] = ParseJson(record.rule_set);
  return out;
}

json ToJson(const SchemaRecord& record) {
  json out = SchemaToJson(record);
  out["subject"] = record.subject;
  out["version"] = record.version;
  out["id"] = record.id;
  return out;
}

}  // namespace shopstream::registry
