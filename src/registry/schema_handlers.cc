#include <utility>

#include "registry/api.h"

// Posted schemas: to be registered, found or checked.
namespace shopstream::registry {

using nlohmann::json;

std::variant<PostedSchema, RestError> Api::Impl::ReadPosted(const HttpRequest& request,
                                                            const std::string& subject) {
  auto posted = ParsePostedSchema(request.body);
  auto* schema = std::get_if<PostedSchema>(&posted);
  if (schema == nullptr) return posted;
  if (auto invalid = CheckSubject(subject)) return *invalid;
  schema->normalize = IsTrue(request, "normalize");
  if (!schema->normalize) {
    store.Read([&](const State& state) { schema->normalize = state.NormalizesOf(subject); });
  }
  return posted;
}

RestReply Api::Impl::Register(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const auto posted = ReadPosted(request, subject);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const PostedSchema& schema = std::get<PostedSchema>(posted);
  const auto answer = [](const SchemaRecord& record) {
    return json{{"id", record.id}, {"version", record.version}};
  };

  // An existing schema or an invalid one can be answered without the right to write.
  Decision known;
  store.Read([&](const State& state) { known = DecideRegistration(state, subject, schema); });
  if (!known.refusal.has_value() && known.records.empty()) return answer(known.schema);
  const bool invalid = known.refusal.has_value() && known.refusal->code == kInvalidSchema;
  if (invalid && schema.references.empty() && schema.version <= 0) return *known.refusal;

  const auto written =
      Write([&](const State& state) { return DecideRegistration(state, subject, schema); });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return answer(std::get<Decision>(written).schema);
}

RestReply Api::Impl::LookUp(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const auto posted = ReadPosted(request, subject);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  bool subject_known = false;
  Status invalid;
  std::optional<SchemaRecord> found;
  const auto failure = LookTwice([&](const State& state) {
    subject_known = state.HasSubject(subject, which);
    const auto candidate = MakeCandidate(state, subject, std::get<PostedSchema>(posted));
    invalid = candidate.status();
    if (!candidate.ok()) return false;
    const SchemaRecord* record = FindCandidate(state, *candidate, which);
    if (record != nullptr) found = *record;
    return found.has_value();
  });
  if (failure.has_value()) return *failure;
  if (!invalid.ok()) return RestError{kInvalidSchema, "Invalid schema: " + invalid.message()};
  if (!subject_known) return UnknownSubject(subject);
  if (!found.has_value()) return RestError{kSchemaNotFound, "Schema not found"};
  return ToJson(*found);
}

// Against one version at the subject's level or, without one, all that the level covers.
RestReply Api::Impl::Check(const HttpRequest& request, std::optional<int32_t> only_version) {
  const std::string subject = SubjectOf(request);
  const auto posted = ReadPosted(request, subject);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  if (auto failure = CatchUp()) return *failure;

  std::optional<RestError> error;
  std::vector<std::string> reasons;
  store.Read([&](const State& state) {
    if (only_version == kLatest) {
      const SchemaRecord* latest = state.Latest(subject);
      only_version = latest == nullptr ? std::nullopt : std::optional(latest->version);
    } else if (only_version.has_value() && state.Find(subject, *only_version) == nullptr) {
      error = state.HasSubject(subject) ? UnknownVersion(*only_version) : UnknownSubject(subject);
      return;
    }
    const auto candidate = MakeCandidate(state, subject, std::get<PostedSchema>(posted));
    if (!candidate.ok()) {
      error = RestError{kInvalidSchema, "Invalid schema: " + candidate.status().message()};
      return;
    }
    reasons = CheckCandidate(state, *candidate, only_version);
  });
  if (error.has_value()) return *error;
  json out = {{"is_compatible", reasons.empty()}};
  if (IsTrue(request, "verbose")) out["messages"] = reasons;
  return out;
}

RestReply Api::Impl::CheckOne(const HttpRequest& request) {
  const auto version = ParseVersion(request.captures.at(1));
  if (const auto* error = std::get_if<RestError>(&version)) return *error;
  return Check(request, std::get<int32_t>(version));
}

RestReply Api::Impl::CheckAll(const HttpRequest& request) { return Check(request, std::nullopt); }

}  // namespace shopstream::registry
