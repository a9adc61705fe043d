#include "registry/handlers.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "registry/decisions.h"
#include "registry/media_type.h"
#include "registry/posted.h"
#include "registry/references.h"
#include "registry/router.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;

constexpr const char* kFollowedRelease = "7.9.0";
constexpr const char* kDefaultContext = ".";

RestError StoreFailure(const Status& status) {
  if (status.IsInvalid()) return {kSchemaTooLarge, status.message()};
  return {kStoreFailed, status.message()};
}
RestError NotFound() { return {kNotFound, "HTTP 404 Not Found"}; }

std::optional<int32_t> ParseInt(std::string_view text) {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "latest" (or -1, as Confluent takes it) or a number from 1.
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

// ?offset=&limit= of a list.
template <typename T>
void CutToPage(const HttpRequest& request, std::vector<T>* list) {
  const int32_t offset = std::max(ParseInt(request.query("offset")).value_or(0), 0);
  const int32_t limit = ParseInt(request.query("limit")).value_or(-1);
  list->erase(list->begin(), list->begin() + std::min<ptrdiff_t>(offset, std::ssize(*list)));
  if (limit >= 0 && std::ssize(*list) > limit) list->resize(static_cast<size_t>(limit));
}

// The schema itself as the answer; as text where it is not JSON, as of another type than Avro.
json SchemaAlone(const std::string& text) {
  json schema = ParseJson(text);
  return schema.is_discarded() ? json(text) : schema;
}

// Schema, type, references, metadata and rules, as all answers with a schema hold them.
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

// Confluent names the level "compatibility" where it is set and "compatibilityLevel" where it is
// told.
json ToJson(const SubjectConfig& config, const char* level_name) {
  json out = json::object();
  if (!config.others.empty()) out = ParseJson(config.others);
  if (config.level.has_value()) out[level_name] = Name(*config.level);
  if (config.normalize.has_value()) out["normalize"] = *config.normalize;
  if (config.compatibility_group.has_value()) {
    out["compatibilityGroup"] = *config.compatibility_group;
  }
  return out;
}

// ":.:orders" is "orders", ":*:ord" as a prefix is "ord": there is the default context only.
std::string InDefaultContext(const std::string& subject) {
  for (const std::string_view prefix : {":.:", ":*:"}) {
    if (subject.starts_with(prefix)) return subject.substr(prefix.size());
  }
  return subject;
}

// A record's key is JSON, which holds nothing else.
bool IsUtf8(const std::string& text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::exception&) {
    return false;
  }
}

std::optional<RestError> CheckSubject(const std::string& subject) {
  const bool control = std::ranges::any_of(subject, [](unsigned char c) { return c < 0x20; });
  const bool other_context = subject.starts_with(":.") || subject.starts_with(":*");
  if (!subject.empty() && !control && !other_context && subject != "__GLOBAL" &&
      subject != "__EMPTY" && IsUtf8(subject)) {
    return std::nullopt;
  }
  return RestError{kInvalidSubject, "The specified subject '" + subject + "' is not a valid."};
}

}  // namespace

struct Api::Impl {
  Impl(Store& given_store, HandlerOptions given_options, Users given_users)
      : store(given_store), options(given_options), users(std::move(given_users)) {}

  RestReply ListSubjects(const HttpRequest& request);
  RestReply DeleteSubject(const HttpRequest& request);
  RestReply LookUp(const HttpRequest& request);
  RestReply ListVersions(const HttpRequest& request);
  RestReply GetVersion(const HttpRequest& request);
  RestReply GetVersionSchema(const HttpRequest& request);
  RestReply GetReferencedBy(const HttpRequest& request);
  RestReply Register(const HttpRequest& request);
  RestReply DeleteVersion(const HttpRequest& request);
  RestReply ListSchemas(const HttpRequest& request);
  RestReply GetById(const HttpRequest& request);
  RestReply GetSchemaById(const HttpRequest& request);
  RestReply GetSubjectsOfId(const HttpRequest& request);
  RestReply GetVersionsOfId(const HttpRequest& request);
  RestReply CheckOne(const HttpRequest& request);
  RestReply CheckAll(const HttpRequest& request);
  RestReply GetConfig(const HttpRequest& request);
  RestReply PutConfig(const HttpRequest& request);
  RestReply DeleteConfig(const HttpRequest& request);
  RestReply GetMode(const HttpRequest& request);
  RestReply PutMode(const HttpRequest& request);
  RestReply DeleteMode(const HttpRequest& request);
  RestReply GetClusterId(const HttpRequest& request);
  RestReply GetHealth(const HttpRequest& request);

  // `find` looks in memory and says whether it found its answer. Where it did not, the log's end is
  // read first: another registry may have written since. Nothing: memory was enough or caught up.
  std::optional<RestError> LookTwice(const std::function<bool(const State&)>& find);
  std::optional<RestError> CatchUp();
  // Writes what `decide` wants, and gives its last decision.
  std::variant<Decision, RestError> Write(const std::function<Decision(const State&)>& decide);
  RestReply FindVersion(const HttpRequest& request, Which which, SchemaRecord* found);
  RestReply ById(const std::string& id_text,
                 const std::function<json(const State&, const SchemaRecord&)>& answer);
  RestReply Check(const HttpRequest& request, std::optional<int32_t> only_version);
  std::variant<PostedSchema, RestError> ReadPosted(const HttpRequest& request,
                                                   const std::string& subject);
  RestReply Route(const HttpRequest& request);

  Store& store;
  const HandlerOptions options;
  const Users users;
  std::atomic<int> waiting{0};
};

namespace {

constexpr const char* kNoSubject = "";
std::string SubjectOf(const HttpRequest& request) {
  return request.captures.empty() ? kNoSubject : InDefaultContext(request.captures.front());
}

// Takes one of the places of those that wait for Kafka.
class Place {
 public:
  Place(std::atomic<int>* taken, int most) : taken_(taken), free_(++*taken <= most) {}
  ~Place() { --*taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool free() const { return free_; }

 private:
  std::atomic<int>* taken_;
  bool free_;
};

RestError TooManyWait() {
  return {kTimedOut, "Too many requests wait for Kafka: try again in a moment"};
}

}  // namespace

std::optional<RestError> Api::Impl::CatchUp() {
  const Place place(&waiting, options.most_waiting);
  if (!place.free()) return TooManyWait();
  const Status caught_up = store.CatchUp(options.look_timeout);
  if (!caught_up.ok()) return StoreFailure(caught_up);
  return std::nullopt;
}

std::optional<RestError> Api::Impl::LookTwice(const std::function<bool(const State&)>& find) {
  bool found = false;
  store.Read([&](const State& state) { found = find(state); });
  if (found) return std::nullopt;
  if (auto failure = CatchUp()) return failure;
  store.Read([&](const State& state) { find(state); });
  return std::nullopt;
}

std::variant<Decision, RestError> Api::Impl::Write(
    const std::function<Decision(const State&)>& decide) {
  const Place place(&waiting, options.most_waiting);
  if (!place.free()) return TooManyWait();
  Decision decision;
  const Status written = store.Write(
      [&](const State& state) {
        decision = decide(state);
        return decision.records;
      },
      options.write_timeout);
  if (!written.ok()) return StoreFailure(written);
  if (decision.refusal.has_value()) return *decision.refusal;
  return decision;
}

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

// The version of the path into `found`; the reply counts only where there is none.
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

RestReply Api::Impl::ById(const std::string& id_text,
                          const std::function<json(const State&, const SchemaRecord&)>& answer) {
  const auto id = ParseInt(id_text);
  if (!id.has_value()) return NotFound();
  std::optional<json> found;
  const auto failure = LookTwice([&](const State& state) {
    const SchemaRecord* record = state.FindId(*id);
    if (record != nullptr) found = answer(state, *record);
    return found.has_value();
  });
  if (failure.has_value()) return *failure;
  if (!found.has_value()) {
    return RestError{kSchemaNotFound, "Schema " + id_text + " not found"};
  }
  return *std::move(found);
}

RestReply Api::Impl::GetById(const HttpRequest& request) {
  const bool with_max = IsTrue(request, "fetchMaxId");
  return ById(request.captures.at(0), [&](const State& state, const SchemaRecord& record) {
    json out = SchemaToJson(record);
    if (with_max) out["maxId"] = state.last_id();
    return out;
  });
}

RestReply Api::Impl::GetSchemaById(const HttpRequest& request) {
  return ById(request.captures.at(0),
              [](const State&, const SchemaRecord& record) { return SchemaAlone(record.schema); });
}

RestReply Api::Impl::GetSubjectsOfId(const HttpRequest& request) {
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  return ById(request.captures.at(0), [&](const State& state, const SchemaRecord& record) {
    std::vector<std::string> names;
    for (const auto& [subject, version] : state.UsesOf(record.id, which)) {
      if (names.empty() || names.back() != subject) names.push_back(subject);
    }
    CutToPage(request, &names);
    return json(names);
  });
}

RestReply Api::Impl::GetVersionsOfId(const HttpRequest& request) {
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  return ById(request.captures.at(0), [&](const State& state, const SchemaRecord& record) {
    std::vector<SubjectVersion> uses = state.UsesOf(record.id, which);
    CutToPage(request, &uses);
    json out = json::array();
    for (const auto& [subject, version] : uses) {
      out.push_back({{"subject", subject}, {"version", version}});
    }
    return out;
  });
}

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

  // What stands already, or is no schema, needs no right to write.
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

// Against one version at the subject's level, or, without one, against all that the level names.
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

RestReply Api::Impl::GetConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const bool or_global = subject.empty() || IsTrue(request, "defaultToGlobal");
  std::optional<json> found;
  store.Read([&](const State& state) {
    const SubjectConfig* config = state.Config(subject);
    if (config == nullptr && !or_global) return;
    if (config == nullptr) config = state.Config("");
    SubjectConfig told = config == nullptr ? SubjectConfig{} : *config;
    if (!told.level.has_value() && or_global) told.level = state.LevelOf(subject);
    found = ToJson(told, "compatibilityLevel");
  });
  if (found.has_value()) return *found;
  return RestError{kNoSubjectLevel, "Subject '" + subject +
                                        "' does not have subject-level compatibility configured"};
}

RestReply Api::Impl::PutConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  if (!request.captures.empty()) {
    if (auto invalid = CheckSubject(subject)) return *invalid;
  }
  SubjectConfig config;
  const auto written = Write([&](const State& state) {
    const SubjectConfig* before = state.Config(subject);
    auto changed = ParsePostedConfig(request.body, before == nullptr ? SubjectConfig{} : *before);
    if (auto* error = std::get_if<RestError>(&changed)) {
      Decision refused;
      refused.refusal = std::move(*error);
      return refused;
    }
    config = std::get<SubjectConfig>(changed);
    return DecideConfig(state, subject, config);
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return ToJson(config, "compatibility");
}

RestReply Api::Impl::DeleteConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  json before;
  const auto written = Write([&](const State& state) {
    const SubjectConfig* config = state.Config(subject);
    if (config == nullptr && !subject.empty()) {
      Decision refused;
      refused.refusal = UnknownSubject(subject);
      return refused;
    }
    SubjectConfig told = config == nullptr ? SubjectConfig{} : *config;
    if (subject.empty()) told.level = state.LevelOf("");
    before = ToJson(told, "compatibilityLevel");
    return DecideConfig(state, subject, std::nullopt);
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return before;
}

RestReply Api::Impl::GetMode(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  std::optional<Mode> mode;
  store.Read([&](const State& state) {
    const bool in_scope = subject.empty() || IsTrue(request, "defaultToGlobal");
    mode = in_scope ? std::optional(state.ModeOf(subject)) : state.OwnMode(subject);
  });
  if (mode.has_value()) return json{{"mode", Name(*mode)}};
  return RestError{kNoSubjectMode,
                   "Subject '" + subject + "' does not have subject-level mode configured"};
}

RestReply Api::Impl::PutMode(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  if (!request.captures.empty()) {
    if (auto invalid = CheckSubject(subject)) return *invalid;
  }
  const auto posted = ParsePostedMode(request.body);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const auto mode = std::get<std::optional<Mode>>(posted);
  const bool force = IsTrue(request, "force");
  const auto written =
      Write([&](const State& state) { return DecideMode(state, subject, mode, force); });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json{{"mode", mode.has_value() ? json(Name(*mode)) : json()}};
}

RestReply Api::Impl::DeleteMode(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  std::optional<Mode> before;
  const auto written = Write([&](const State& state) {
    before = state.OwnMode(subject);
    if (before.has_value()) return DecideMode(state, subject, std::nullopt, false);
    Decision refused;
    refused.refusal = UnknownSubject(subject);
    return refused;
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json{{"mode", Name(*before)}};
}

RestReply Api::Impl::GetClusterId(const HttpRequest&) {
  return json{
      {"id", ""},
      {"scope",
       {{"path", json::array()},
        {"clusters",
         {{"kafka-cluster", store.ClusterId()}, {"schema-registry-cluster", "schema-registry"}}}}}};
}

// Not Confluent's: "ok", or "degraded" and what is wrong while reads are served all the same.
RestReply Api::Impl::GetHealth(const HttpRequest&) {
  const Status whole = store.Whole();
  if (whole.ok()) return json{{"status", "ok"}};
  return json{{"status", "degraded"}, {"reason", whole.message()}};
}

namespace {

// `ready`: only once the log has been read. `writes`: for writers only.
struct Row {
  const char* method;
  const char* pattern;
  RestReply (*handle)(Api::Impl&, const HttpRequest&);
  bool ready = true;
  bool writes = false;
};

template <RestReply (Api::Impl::*kHandle)(const HttpRequest&)>
RestReply Call(Api::Impl& api, const HttpRequest& request) {
  return (api.*kHandle)(request);
}

RestReply GetRoot(Api::Impl&, const HttpRequest&) { return json::object(); }
RestReply GetTypes(Api::Impl&, const HttpRequest&) { return json::array({"AVRO"}); }
RestReply GetContexts(Api::Impl&, const HttpRequest&) { return json::array({kDefaultContext}); }
RestReply GetRelease(Api::Impl&, const HttpRequest&) {
  return json{{"version", kFollowedRelease}, {"commitId", "shopstream"}};
}

// The first that fits serves.
constexpr Row kRows[] = {
    {"GET", "", &GetRoot, false},
    {"GET", "subjects", &Call<&Api::Impl::ListSubjects>},
    {"GET", "subjects/**/versions", &Call<&Api::Impl::ListVersions>},
    {"POST", "subjects/**/versions", &Call<&Api::Impl::Register>, true, true},
    {"GET", "subjects/**/versions/*/schema", &Call<&Api::Impl::GetVersionSchema>},
    {"GET", "subjects/**/versions/*/referencedby", &Call<&Api::Impl::GetReferencedBy>},
    {"GET", "subjects/**/versions/*", &Call<&Api::Impl::GetVersion>},
    {"DELETE", "subjects/**/versions/*", &Call<&Api::Impl::DeleteVersion>, true, true},
    {"POST", "subjects/**", &Call<&Api::Impl::LookUp>},
    {"DELETE", "subjects/**", &Call<&Api::Impl::DeleteSubject>, true, true},
    {"GET", "schemas", &Call<&Api::Impl::ListSchemas>},
    {"GET", "schemas/types", &GetTypes, false},
    {"GET", "schemas/ids/*", &Call<&Api::Impl::GetById>},
    {"GET", "schemas/ids/*/schema", &Call<&Api::Impl::GetSchemaById>},
    {"GET", "schemas/ids/*/subjects", &Call<&Api::Impl::GetSubjectsOfId>},
    {"GET", "schemas/ids/*/versions", &Call<&Api::Impl::GetVersionsOfId>},
    {"POST", "compatibility/subjects/**/versions/*", &Call<&Api::Impl::CheckOne>},
    {"POST", "compatibility/subjects/**/versions", &Call<&Api::Impl::CheckAll>},
    {"GET", "config", &Call<&Api::Impl::GetConfig>},
    {"PUT", "config", &Call<&Api::Impl::PutConfig>, true, true},
    {"DELETE", "config", &Call<&Api::Impl::DeleteConfig>, true, true},
    {"GET", "config/**", &Call<&Api::Impl::GetConfig>},
    {"PUT", "config/**", &Call<&Api::Impl::PutConfig>, true, true},
    {"DELETE", "config/**", &Call<&Api::Impl::DeleteConfig>, true, true},
    {"GET", "mode", &Call<&Api::Impl::GetMode>},
    {"PUT", "mode", &Call<&Api::Impl::PutMode>, true, true},
    {"GET", "mode/**", &Call<&Api::Impl::GetMode>},
    {"PUT", "mode/**", &Call<&Api::Impl::PutMode>, true, true},
    {"DELETE", "mode/**", &Call<&Api::Impl::DeleteMode>, true, true},
    {"GET", "contexts", &GetContexts},
    {"GET", "v1/metadata/id", &Call<&Api::Impl::GetClusterId>, false},
    {"GET", "v1/metadata/version", &GetRelease, false},
    {"GET", "health", &Call<&Api::Impl::GetHealth>},
};

struct Match {
  const Row* row = nullptr;  // Null: none.
  std::vector<std::string> captures;
  bool path_known = false;  // By another method.
};

Match FindRow(const HttpRequest& request) {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const std::vector<std::string> parts = SplitPath(request.raw_path);
  Match match;
  for (const Row& row : kRows) {
    auto captures = MatchPath(row.pattern, parts);
    if (!captures.has_value()) continue;
    match.path_known = true;
    if (method != row.method) continue;
    match.row = &row;
    match.captures = *std::move(captures);
    return match;
  }
  return match;
}

bool TakesABody(const HttpRequest& request) {
  return request.method == "POST" || request.method == "PUT";
}

}  // namespace

RestReply Api::Impl::Route(const HttpRequest& request) {
  Match match = FindRow(request);
  if (match.row == nullptr && !match.path_known) return NotFound();
  if (match.row == nullptr) return RestError{405, "HTTP 405 Method Not Allowed"};
  if (TakesABody(request) && !TakesMediaType(request.content_type)) {
    return RestError{415, "HTTP 415 Unsupported Media Type"};
  }
  const Status ready = match.row->ready ? store.Ready() : Status::OK();
  if (!ready.ok()) {
    return RestError{kStarting, "The registry is not ready: " + ready.message()};
  }
  HttpRequest matched = request;
  matched.captures = std::move(match.captures);
  return match.row->handle(*this, matched);
}

HttpReply ToHttp(const RestReply& reply) {
  if (const auto* body = std::get_if<json>(&reply)) {
    return {200, DumpJson(*body), kMediaType};
  }
  const auto& error = std::get<RestError>(reply);
  const json body = {{"error_code", error.code}, {"message", error.message}};
  const int status = error.code >= 1000 ? error.code / 100 : error.code;
  return {status, DumpJson(body), kMediaType};
}

Api::Api(Store& store, HandlerOptions options, Users users)
    : impl_(std::make_unique<Impl>(store, options, std::move(users))) {}
Api::~Api() = default;
Api::Api(Api&&) noexcept = default;

std::optional<HttpReply> Api::Gate(const HttpRequest& head) const {
  if (impl_->users.anyone()) return std::nullopt;
  const auto role = impl_->users.Authenticate(head.header("Authorization"));
  if (!role.has_value()) {
    HttpReply reply = ToHttp(RestError{401, "Unauthorized"});
    reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"SchemaRegistry\"");
    return reply;
  }
  const Match match = FindRow(head);
  if (match.row == nullptr || !match.row->writes || *role == Role::kWriter) return std::nullopt;
  return ToHttp(RestError{40301, "User is denied operation Write: it has the role reader"});
}

HttpReply Api::Handle(const HttpRequest& request) const {
  const auto media_type = ChooseMediaType(request.header("Accept"));
  if (!media_type.has_value()) return ToHttp(RestError{406, "HTTP 406 Not Acceptable"});
  HttpReply reply = ToHttp(impl_->Route(request));
  reply.content_type = *media_type;
  return reply;
}

void AddRoutes(HttpServer& server, Store& store, HandlerOptions options, Users users) {
  const auto api = std::make_shared<Api>(store, options, std::move(users));
  server.Before([api](const HttpRequest& head) { return api->Gate(head); });
  server.Otherwise([api](const HttpRequest& request) { return api->Handle(request); });
  server.OnError([](int status, const HttpRequest&) {
    const std::string text = status == 413   ? "The body is too large: a schema has at most 1 MiB"
                             : status == 500 ? "Internal Server Error"
                                             : "HTTP " + std::to_string(status);
    return ToHttp(RestError{status, text});
  });
}

}  // namespace shopstream::registry
