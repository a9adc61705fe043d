#include <algorithm>
#include <ranges>
#include <utility>

#include "base/http_query.h"
#include "registry/api.h"
#include "registry/metadata.h"
#include "registry/rule_set.h"

// Subjects and their versions.
namespace shopstream::registry {

using nlohmann::json;

namespace {

// The longest answers, as in Confluent's registry.
constexpr int32_t kMostSubjects = 20'000;
constexpr int32_t kMostSchemas = 1'000;

}  // namespace

RestReply Api::Impl::ListSubjects(const HttpRequest& request) {
  // An empty prefix means the default context; none means all.
  const auto prefixes = QueryValues(request.raw_query, "subjectPrefix");
  const std::string prefix = prefixes.empty() ? std::string(kAnyContext) : prefixes.front();
  std::vector<std::string> names;
  store.Read([&](const State& state) { names = state.Subjects(WhichVersions(request)); });
  std::erase_if(names, [&](const std::string& name) { return !HasPrefix(name, prefix); });
  CutToPage(request, &names, kMostSubjects);
  return json(names);
}

RestReply Api::Impl::DeleteSubject(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const bool permanent = IsTrue(request, "permanent");
  const auto written =
      Write([&](const State& state) { return DecideSubjectDeletion(state, subject, permanent); });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json(std::get<Decision>(written).versions);
}

RestReply Api::Impl::ListVersions(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const Which which = WhichVersions(request);
  const Which subjects = which == Which::kLive ? Which::kLive : Which::kAll;
  bool known = false;
  std::vector<int32_t> versions;
  const auto failure = LookTwice([&](const State& state) {
    known = state.HasSubject(subject, subjects);
    versions = state.Versions(subject, which);
    return known;
  });
  if (failure.has_value()) return *failure;
  if (!known) return UnknownSubject(subject);
  CutToPage(request, &versions);
  return json(versions);
}

// Loads the path's version into `found`; the reply is meaningful only if there is none.
RestReply Api::Impl::FindVersion(const HttpRequest& request, Which which, SchemaRecord* found) {
  const std::string subject = SubjectOf(request);
  const auto version = ParseVersion(request.captures.at(1));
  if (const auto* error = std::get_if<RestError>(&version)) return *error;
  const int32_t number = std::get<int32_t>(version);
  bool subject_known = false;
  RestReply refused;
  const auto failure = LookTwice([&](const State& state) {
    subject_known = state.HasSubject(subject, which);
    for (const std::string& name : SubjectsMeant(state, subject)) {
      const SchemaRecord* record =
          number == kLatest ? state.Latest(name) : state.Find(name, number, which);
      if (record == nullptr) continue;
      auto formatted = Formatted(request, state, *record);
      if (auto* error = std::get_if<RestError>(&formatted)) {
        refused = *error;
      } else {
        *found = std::move(std::get<SchemaRecord>(formatted));
      }
      return true;
    }
    return false;
  });
  if (failure.has_value()) return *failure;
  if (found->version > 0 || std::holds_alternative<RestError>(refused)) return refused;
  return subject_known ? UnknownVersion(number) : UnknownSubject(subject);
}

RestReply Api::Impl::GetVersionAs(const HttpRequest& request,
                                  RestReply (*answer)(const SchemaRecord&)) {
  SchemaRecord found;
  RestReply missing =
      FindVersion(request, IsTrue(request, "deleted") ? Which::kAll : Which::kLive, &found);
  return found.version > 0 ? answer(found) : missing;
}

RestReply Api::Impl::GetVersion(const HttpRequest& request) {
  return GetVersionAs(request,
                      [](const SchemaRecord& found) -> RestReply { return ToJson(found); });
}

RestReply Api::Impl::GetVersionSchema(const HttpRequest& request) {
  return GetVersionAs(
      request, [](const SchemaRecord& found) -> RestReply { return PlainBody{found.schema}; });
}

// The newest version that has every ?key= with the ?value= in the same place.
RestReply Api::Impl::GetByMetadata(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  const auto keys = QueryValues(request.raw_query, "key");
  const auto values = QueryValues(request.raw_query, "value");
  if (keys.size() != values.size()) {
    return RestError{kUnprocessable, "The request must have as many values as keys"};
  }
  bool known = false;
  std::optional<RestReply> found;
  const auto has_all = [&](const SchemaRecord& record) {
    if (record.metadata.empty()) return false;
    const auto properties = PropertiesOf(record.metadata);
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto property = properties.find(keys[i]);
      if (property == properties.end() || property->second != values[i]) return false;
    }
    return true;
  };
  const auto failure = LookTwice([&](const State& state) {
    known = state.HasSubject(subject, which);
    const auto versions = state.Versions(subject, which);
    for (const int32_t version : std::views::reverse(versions)) {
      const SchemaRecord* record = state.Find(subject, version, which);
      if (!has_all(*record)) continue;
      const auto formatted = Formatted(request, state, *record);
      const auto* error = std::get_if<RestError>(&formatted);
      found = error != nullptr ? RestReply(*error)
                               : RestReply(ToJson(std::get<SchemaRecord>(formatted)));
      return true;
    }
    return false;
  });
  if (failure.has_value()) return *failure;
  if (found.has_value()) return *std::move(found);
  return known ? RestError{kSchemaNotFound, "Schema not found"} : UnknownSubject(subject);
}

RestReply Api::Impl::GetReferencedBy(const HttpRequest& request) {
  SchemaRecord found;
  RestReply missing = FindVersion(request, Which::kAll, &found);
  if (found.version == 0) return missing;
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  std::vector<int32_t> ids;
  store.Read([&](const State& state) {
    for (const auto& [subject, version] : state.ReferencesTo(found.subject, found.version)) {
      const SchemaRecord* referrer = state.Find(subject, version, which);
      if (referrer != nullptr) ids.push_back(referrer->id);
    }
  });
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  CutToPage(request, &ids);
  return json(ids);
}

RestReply Api::Impl::ListSchemas(const HttpRequest& request) {
  const std::string prefix = request.query("subjectPrefix");
  const std::string rule_type = request.query("ruleType");
  const bool latest_only = IsTrue(request, "latestOnly");
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  const auto state = store.Snapshot();
  std::vector<const SchemaRecord*> found;
  for (const std::string& subject : state->Subjects(which)) {
    if (!HasPrefix(subject, prefix)) continue;
    std::vector<int32_t> versions = state->Versions(subject, which);
    if (latest_only) versions = {versions.back()};
    for (const int32_t version : versions) {
      const SchemaRecord* record = state->Find(subject, version, which);
      if (rule_type.empty() || HasRuleOfType(record->rule_set, rule_type)) found.push_back(record);
    }
  }
  CutToPage(request, &found, kMostSchemas);
  json out = json::array();
  for (const SchemaRecord* record : found) out.push_back(ToJson(*record));
  return out;
}

RestReply Api::Impl::DeleteVersion(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const auto version = ParseVersion(request.captures.at(1));
  if (const auto* error = std::get_if<RestError>(&version)) return *error;
  const bool permanent = IsTrue(request, "permanent");
  const auto written = Write([&](const State& state) {
    return DecideVersionDeletion(state, subject, std::get<int32_t>(version), permanent);
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json(std::get<Decision>(written).versions.front());
}

RestReply Api::Impl::GetContexts(const HttpRequest&) {
  std::vector<std::string> contexts;
  store.Read([&](const State& state) { contexts = state.Contexts(); });
  return json(contexts);
}

RestReply Api::Impl::DeleteContext(const HttpRequest& request) {
  std::string context = request.captures.at(0);
  if (context.starts_with(':') || context.ends_with(':')) context = ContextOf(context);
  if (!context.starts_with('.')) context.insert(context.begin(), '.');
  if (context == kDefaultContext) {
    return RestError{kNotPermitted, "The default context cannot be deleted"};
  }
  const auto written =
      Write([&](const State& state) { return DecideContextDeletion(state, context); });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json::object();
}

}  // namespace shopstream::registry
