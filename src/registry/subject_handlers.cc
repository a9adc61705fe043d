#include <algorithm>
#include <utility>

#include "registry/api.h"

// Subjects and their versions.
namespace shopstream::registry {

using nlohmann::json;

RestReply Api::Impl::ListSubjects(const HttpRequest& request) {
  const std::string prefix = InDefaultContext(request.query("subjectPrefix"));
  std::vector<std::string> names;
  store.Read([&](const State& state) { names = state.Subjects(WhichVersions(request)); });
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  CutToPage(request, &names);
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
  const auto failure = LookTwice([&](const State& state) {
    subject_known = state.HasSubject(subject, which);
    const SchemaRecord* record =
        number == kLatest ? state.Latest(subject) : state.Find(subject, number, which);
    if (record != nullptr) *found = *record;
    return record != nullptr;
  });
  if (failure.has_value()) return *failure;
  if (found->version > 0) return json();
  return subject_known ? UnknownVersion(number) : UnknownSubject(subject);
}

RestReply Api::Impl::GetVersion(const HttpRequest& request) {
  SchemaRecord found;
  RestReply missing =
      FindVersion(request, IsTrue(request, "deleted") ? Which::kAll : Which::kLive, &found);
  return found.version > 0 ? ToJson(found) : missing;
}

RestReply Api::Impl::GetVersionSchema(const HttpRequest& request) {
  RestReply reply = GetVersion(request);
  auto* record = std::get_if<json>(&reply);
  if (record == nullptr) return reply;
  return SchemaAlone(record->at("schema").get_ref<const std::string&>());
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
  const std::string prefix = InDefaultContext(request.query("subjectPrefix"));
  const bool latest_only = IsTrue(request, "latestOnly");
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  std::vector<SchemaRecord> found;
  store.Read([&](const State& state) {
    for (const std::string& subject : state.Subjects(which)) {
      if (!subject.starts_with(prefix)) continue;
      std::vector<int32_t> versions = state.Versions(subject, which);
      if (latest_only) versions = {versions.back()};
      for (const int32_t version : versions) found.push_back(*state.Find(subject, version, which));
    }
  });
  CutToPage(request, &found);
  json out = json::array();
  for (const SchemaRecord& record : found) out.push_back(ToJson(record));
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

}  // namespace shopstream::registry
