#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/format.h"
#include "base/text_encoding.h"
#include "registry/api.h"
#include "registry/canonical.h"

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
  const size_t start = text.find_first_not_of(" \t");
  const std::string trimmed = start == std::string::npos
                                  ? ""
                                  : text.substr(start, text.find_last_not_of(" \t") + 1 - start);
  if (ToLower(trimmed) == "latest" || trimmed == "-1") return kLatest;
  const auto number = ParseInt(trimmed);
  if (number.has_value() && *number > 0) return *number;
  return RestError{kInvalidVersion,
                   "The specified version '" + text +
                       "' is not a valid version id. Allowed values are between [1, 2^31-1] and "
                       "the string \"latest\""};
}

bool IsTrue(const HttpRequest& request, const char* name) {
  return ToLower(request.query(name)) == "true";
}

Which WhichVersions(const HttpRequest& request) {
  if (IsTrue(request, "deletedOnly")) return Which::kDeletedOnly;
  return IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
}

std::string SubjectOf(const HttpRequest& request) {
  return request.captures.empty() ? "" : NormalizeSubject(request.captures.front());
}

std::vector<std::string> SubjectsMeant(const State& state, const std::string& subject) {
  std::vector<std::string> subjects = {subject};
  if (ContextOf(subject) != kDefaultContext) return subjects;
  for (const std::string& context : state.Contexts()) {
    if (context != kDefaultContext) subjects.push_back(PrefixOf(context) + subject);
  }
  return subjects;
}

namespace {

bool IsBase64(const std::string& text) {
  const size_t padding = std::min<size_t>(text.size() - text.find_last_not_of('=') - 1, 2);
  const std::string_view digits(text.data(), text.size() - std::min(padding, text.size()));
  return !digits.empty() && text.size() % 4 == 0 &&
         std::ranges::all_of(
             digits, [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; });
}

}  // namespace

std::optional<RestError> CheckScope(const std::string& subject) {
  const bool control = std::ranges::any_of(subject, [](unsigned char c) { return c < 0x20; });
  const QualifiedSubject parts = SplitSubject(subject);
  const bool some_context = parts.context != "*" && !parts.context.empty();
  if (!subject.empty() && !control && some_context && parts.name != "__GLOBAL" &&
      parts.name != "__EMPTY" && IsUtf8(subject)) {
    return std::nullopt;
  }
  return RestError{kInvalidSubject, "The specified subject '" + subject + "' is not a valid."};
}

std::optional<RestError> CheckSubject(const std::string& subject) {
  if (!SplitSubject(subject).name.empty()) return CheckScope(subject);
  return RestError{kInvalidSubject, "The specified subject '" + subject + "' is not a valid."};
}

std::variant<SchemaRecord, RestError> Formatted(const HttpRequest& request, const State& state,
                                                const SchemaRecord& record) {
  const std::string format = request.query("format");
  SchemaRecord formatted = record;
  // The text may be the serialized form itself, which Python's client registers.
  if (format == "serialized" && record.type == "PROTOBUF" && !IsBase64(record.schema)) {
    return RestError{kUnprocessable,
                     "format=serialized is not supported: PROTOBUF schemas are kept as their text"};
  }
  if (format != "resolved" || record.type != "AVRO") return formatted;
  const std::string whole = Resolved(state, record);
  formatted.schema = CanonicalText(whole).ValueOr(whole);
  return formatted;
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
