#include <utility>

#include "registry/api.h"
#include "registry/candidate.h"

// Posted schemas: to be registered, found or checked. All but the writing works on a snapshot, so
// that other requests do not wait for a large schema.
namespace shopstream::registry {

using nlohmann::json;

std::variant<PostedSchema, RestError> Api::Impl::ReadPosted(const HttpRequest& request,
                                                            const std::string& subject) {
  auto posted = ParsePostedSchema(request.body);
  if (std::holds_alternative<RestError>(posted)) return posted;
  if (auto invalid = CheckSubject(subject)) return *invalid;
  std::get<PostedSchema>(posted).normalize = IsTrue(request, "normalize");
  return posted;
}

namespace {

// Normalized if the request, or the config at the time of the decision, says so.
PostedSchema InScope(PostedSchema schema, const State& state, const std::string& subject) {
  schema.normalize = schema.normalize || state.ConfigInScope(subject).normalize.value_or(false);
  return schema;
}

// With the whole schema if anything was added to what was posted.
RestReply ToAnswer(const HttpRequest& request, const State& state, const Decision& decision) {
  if (!decision.was_changed) {
    return json{{"id", decision.schema.id}, {"version", decision.schema.version}};
  }
  const auto formatted = Formatted(request, state, decision.schema);
  if (const auto* error = std::get_if<RestError>(&formatted)) return *error;
  json answer = ToJson(std::get<SchemaRecord>(formatted));
  answer.erase("subject");
  return answer;
}

}  // namespace

RestReply Api::Impl::Register(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const auto posted = ReadPosted(request, subject);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const PostedSchema& schema = std::get<PostedSchema>(posted);

  // An existing schema or an invalid one can be answered without the right to write.
  auto state = store.Snapshot();
  const Decision known = DecideRegistration(*state, subject, InScope(schema, *state, subject));
  if (!known.refusal.has_value() && known.records.empty()) return ToAnswer(request, *state, known);
  state.reset();  // It would be copied when the state changes.
  const bool invalid = known.refusal.has_value() && known.refusal->code == kInvalidSchema;
  const bool stays_invalid =
      schema.references.empty() && schema.version <= 0 && !schema.text.empty();
  if (invalid && stays_invalid) return *known.refusal;

  const auto written = Write([&](const State& now) {
    return DecideRegistration(now, subject, InScope(schema, now, subject));
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return ToAnswer(request, *store.Snapshot(), std::get<Decision>(written));
}

RestReply Api::Impl::LookUp(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const auto posted = ReadPosted(request, subject);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  bool subject_known = false;
  Status invalid;
  std::optional<RestReply> found;
  const auto find = [&] {
    const auto state = store.Snapshot();
    subject_known = state->HasSubject(subject, which);
    const PostedSchema schema = InScope(std::get<PostedSchema>(posted), *state, subject);
    for (const std::string& name : SubjectsMeant(*state, subject)) {
      const auto candidate = MakeCandidate(*state, name, schema, /*is_new=*/false);
      // Another context may lack the references.
      if (name == subject) invalid = candidate.status();
      if (!candidate.ok()) continue;
      const SchemaRecord* record = FindCandidate(*state, *candidate, which);
      if (record == nullptr) continue;
      const auto formatted = Formatted(request, *state, *record);
      const auto* error = std::get_if<RestError>(&formatted);
      found = error != nullptr ? RestReply(*error)
                               : RestReply(ToJson(std::get<SchemaRecord>(formatted)));
      return true;
    }
    return false;
  };
  if (!find()) {
    if (auto failure = CatchUp()) return *failure;
    find();
  }
  if (found.has_value()) return *std::move(found);
  if (!invalid.ok()) return InvalidSchema(invalid.message());
  if (!subject_known) return UnknownSubject(subject);
  return RestError{kSchemaNotFound, "Schema not found"};
}

// Against one version at the subject's level or, without one, all that the level covers.
RestReply Api::Impl::Check(const HttpRequest& request, std::optional<int32_t> only_version) {
  const std::string subject = SubjectOf(request);
  const auto posted = ReadPosted(request, subject);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  if (auto failure = CatchUp()) return *failure;

  const auto state = store.Snapshot();
  if (only_version == kLatest) {
    const SchemaRecord* latest = state->Latest(subject);
    only_version = latest == nullptr ? std::nullopt : std::optional(latest->version);
  } else if (only_version.has_value() && state->Find(subject, *only_version) == nullptr) {
    return state->HasSubject(subject) ? UnknownVersion(*only_version) : UnknownSubject(subject);
  }
  const bool verbose = IsTrue(request, "verbose");
  const auto candidate =
      MakeCandidate(*state, subject, InScope(std::get<PostedSchema>(posted), *state, subject),
                    /*is_new=*/true);
  if (!candidate.ok() && !verbose) return InvalidSchema(candidate.status().message());
  const std::vector<std::string> reasons =
      candidate.ok()
          ? CheckCandidate(*state, *candidate, only_version)
          : std::vector<std::string>{InvalidSchema(candidate.status().message()).message};
  json out = {{"is_compatible", reasons.empty()}};
  if (verbose) out["messages"] = reasons;
  return out;
}

RestReply Api::Impl::CheckOne(const HttpRequest& request) {
  const auto version = ParseVersion(request.captures.at(1));
  if (const auto* error = std::get_if<RestError>(&version)) return *error;
  return Check(request, std::get<int32_t>(version));
}

RestReply Api::Impl::CheckAll(const HttpRequest& request) { return Check(request, std::nullopt); }

}  // namespace shopstream::registry
