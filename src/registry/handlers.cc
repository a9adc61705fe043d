#include "registry/handlers.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "avro/schema.h"
#include "registry/canonical.h"
#include "registry/rest.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;

// A subject may hold slashes: request paths arrive decoded.
constexpr const char* kSubjectVersions = "/subjects/(.+)/versions/?";
constexpr const char* kSubjectVersion = "/subjects/(.+)/versions/([^/]+)";
constexpr const char* kSubjectVersionSchema = "/subjects/(.+)/versions/([^/]+)/schema";
constexpr int32_t kLatest = -1;

RestError StoreFailure(const Status& status) { return {kStoreFailed, status.message()}; }
RestError UnknownSubject(const std::string& subject) {
  return {kSubjectNotFound, "Subject '" + subject + "' not found."};
}
RestError UnknownVersion(int32_t version) {
  return {kVersionNotFound, "Version " + std::to_string(version) + " not found."};
}
RestError UnknownId(const std::string& id) {
  return {kSchemaNotFound, "Schema " + id + " not found"};
}

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

json ToJson(const SchemaRecord& record) {
  json out = {{"subject", record.subject},
              {"version", record.version},
              {"id", record.id},
              {"schema", record.schema}};
  if (record.type != "AVRO") out["schemaType"] = record.type;
  return out;
}

struct PostedSchema {
  avro::Schema schema;
  std::string canonical;
};

RestError InvalidSchema(const std::string& reason) {
  return {kInvalidSchema, "Invalid schema: " + reason};
}

// {"schema": "<Avro as text>", "schemaType": "AVRO", "references": []}
std::variant<PostedSchema, RestError> ParsePostedSchema(const std::string& body) {
  const json posted = json::parse(body, nullptr, false);
  if (!posted.is_object()) return RestError{400, "The body is not a JSON object"};
  const json type = posted.value("schemaType", json("AVRO"));
  if (!type.is_null() && type != "AVRO") {
    return InvalidSchema("this registry holds schemas of schemaType AVRO only");
  }
  const json references = posted.value("references", json());
  if (references.is_array() && !references.empty()) {
    return InvalidSchema("references to other schemas are not supported: put their types into it");
  }
  const json text = posted.value("schema", json());
  if (!text.is_string()) return InvalidSchema("\"schema\" must hold the Avro schema as a string");
  auto schema = avro::Schema::Parse(text.get_ref<const std::string&>());
  if (!schema.ok()) return InvalidSchema(schema.status().message());
  auto canonical = CanonicalText(schema->text());
  if (!canonical.ok()) return InvalidSchema(canonical.status().message());
  return PostedSchema{*std::move(schema), *std::move(canonical)};
}

std::string JoinReasons(const std::vector<std::string>& reasons) {
  std::string text;
  for (const auto& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

class Handlers {
 public:
  Handlers(Store& store, HandlerOptions options) : store_(store), options_(options) {}

  RestReply ListSubjects(const HttpRequest& request);
  RestReply ListVersions(const HttpRequest& request);
  RestReply GetVersion(const HttpRequest& request);
  RestReply GetVersionSchema(const HttpRequest& request);
  RestReply GetById(const HttpRequest& request);
  RestReply GetSchemaById(const HttpRequest& request);
  RestReply GetSubjectsOfId(const HttpRequest& request);
  RestReply GetVersionsOfId(const HttpRequest& request);
  RestReply Register(const HttpRequest& request);
  RestReply LookUp(const HttpRequest& request);
  RestReply CheckOne(const HttpRequest& request);
  RestReply CheckAll(const HttpRequest& request);
  RestReply GetGlobalLevel(const HttpRequest& request);
  RestReply GetLevel(const HttpRequest& request);
  RestReply PutLevel(const HttpRequest& request);

  Store& store() { return store_; }

 private:
  // `find` looks in memory and says whether it found its answer. Where it did not, the log's end is
  // read first: another registry may have written since. Nothing: memory was enough or caught up.
  std::optional<RestError> LookTwice(const std::function<bool(const State&)>& find);
  RestReply ById(const std::string& id_text,
                 const std::function<json(const State&, int32_t, const StoredSchema&)>& answer);
  RestReply Check(const HttpRequest& request, const std::string& subject,
                  std::optional<int32_t> only_version);

  Store& store_;
  const HandlerOptions options_;
};

std::optional<RestError> Handlers::LookTwice(const std::function<bool(const State&)>& find) {
  bool found = false;
  store_.Read([&](const State& state) { found = find(state); });
  if (found) return std::nullopt;
  const Status caught_up = store_.CatchUp(options_.look_timeout);
  if (!caught_up.ok()) return StoreFailure(caught_up);
  store_.Read([&](const State& state) { find(state); });
  return std::nullopt;
}

RestReply Handlers::ListSubjects(const HttpRequest&) {
  json names = json::array();
  store_.Read([&](const State& state) { names = state.Subjects(); });
  return names;
}

RestReply Handlers::ListVersions(const HttpRequest& request) {
  const std::string& subject = request.captures.at(0);
  std::vector<int32_t> versions;
  const auto failure = LookTwice([&](const State& state) {
    versions = state.Versions(subject);
    return !versions.empty();
  });
  if (failure.has_value()) return *failure;
  if (versions.empty()) return UnknownSubject(subject);
  return json(versions);
}

RestReply Handlers::GetVersion(const HttpRequest& request) {
  const std::string& subject = request.captures.at(0);
  const auto version = ParseVersion(request.captures.at(1));
  if (const auto* error = std::get_if<RestError>(&version)) return *error;
  const int32_t number = std::get<int32_t>(version);
  bool subject_known = false;
  std::optional<SchemaRecord> found;
  const auto failure = LookTwice([&](const State& state) {
    subject_known = state.HasSubject(subject);
    const SchemaRecord* record =
        number == kLatest ? state.Latest(subject) : state.Find(subject, number);
    if (record != nullptr) found = *record;
    return found.has_value();
  });
  if (failure.has_value()) return *failure;
  if (!subject_known) return UnknownSubject(subject);
  if (!found.has_value()) return UnknownVersion(number);
  return ToJson(*found);
}

RestReply Handlers::GetVersionSchema(const HttpRequest& request) {
  RestReply reply = GetVersion(request);
  auto* record = std::get_if<json>(&reply);
  if (record == nullptr) return reply;
  return json::parse(record->at("schema").get_ref<const std::string&>(), nullptr, false);
}

RestReply Handlers::ById(
    const std::string& id_text,
    const std::function<json(const State&, int32_t, const StoredSchema&)>& answer) {
  const auto id = ParseInt(id_text);
  if (!id.has_value()) return RestError{kNotFound, "HTTP 404 Not Found"};
  std::optional<json> found;
  const auto failure = LookTwice([&](const State& state) {
    const StoredSchema* schema = state.FindId(*id);
    if (schema != nullptr) found = answer(state, *id, *schema);
    return found.has_value();
  });
  if (failure.has_value()) return *failure;
  if (!found.has_value()) return UnknownId(id_text);
  return *found;
}

RestReply Handlers::GetById(const HttpRequest& request) {
  return ById(request.captures.at(0), [](const State&, int32_t, const StoredSchema& schema) {
    json out = {{"schema", schema.text}};
    if (schema.type != "AVRO") out["schemaType"] = schema.type;
    return out;
  });
}

RestReply Handlers::GetSchemaById(const HttpRequest& request) {
  return ById(request.captures.at(0), [](const State&, int32_t, const StoredSchema& schema) {
    return json::parse(schema.text, nullptr, false);
  });
}

RestReply Handlers::GetSubjectsOfId(const HttpRequest& request) {
  return ById(request.captures.at(0), [](const State& state, int32_t id, const StoredSchema&) {
    json names = json::array();
    for (const auto& [subject, version] : state.UsesOf(id)) {
      if (names.empty() || names.back() != subject) names.push_back(subject);
    }
    return names;
  });
}

RestReply Handlers::GetVersionsOfId(const HttpRequest& request) {
  return ById(request.captures.at(0), [](const State& state, int32_t id, const StoredSchema&) {
    json uses = json::array();
    for (const auto& [subject, version] : state.UsesOf(id)) {
      uses.push_back({{"subject", subject}, {"version", version}});
    }
    return uses;
  });
}

RestReply Handlers::Register(const HttpRequest& request) {
  const std::string& subject = request.captures.at(0);
  auto posted = ParsePostedSchema(request.body);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const auto& [schema, canonical] = std::get<PostedSchema>(posted);

  std::optional<SchemaRecord> stands;
  store_.Read([&](const State& state) {
    const SchemaRecord* record = state.FindText(subject, canonical);
    if (record != nullptr) stands = *record;
  });
  if (stands.has_value()) return json{{"id", stands->id}, {"version", stands->version}};

  Decision decision;
  const Decide decide = [&](const State& state) -> std::optional<KeyAndValue> {
    decision = DecideRegistration(state, subject, schema, canonical);
    if (decision.outcome != Decision::Outcome::kNew) return std::nullopt;
    return Serialize(decision.record);
  };
  const Status written = store_.Write(decide, options_.write_timeout);
  if (!written.ok()) return StoreFailure(written);
  if (decision.outcome == Decision::Outcome::kIncompatible) {
    return RestError{kIncompatibleSchema,
                     "Schema being registered is incompatible with an earlier schema for subject "
                     "\"" +
                         subject + "\", details: [" + JoinReasons(decision.reasons) + "]"};
  }
  return json{{"id", decision.record.id}, {"version", decision.record.version}};
}

RestReply Handlers::LookUp(const HttpRequest& request) {
  const std::string& subject = request.captures.at(0);
  auto posted = ParsePostedSchema(request.body);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const std::string& canonical = std::get<PostedSchema>(posted).canonical;
  bool subject_known = false;
  std::optional<SchemaRecord> found;
  const auto failure = LookTwice([&](const State& state) {
    subject_known = state.HasSubject(subject);
    const SchemaRecord* record = state.FindText(subject, canonical);
    if (record != nullptr) found = *record;
    return found.has_value();
  });
  if (failure.has_value()) return *failure;
  if (!subject_known) return UnknownSubject(subject);
  if (!found.has_value()) return RestError{kSchemaNotFound, "Schema not found"};
  return ToJson(*found);
}

// Against one version at the subject's level, or, without one, against all that the level names.
RestReply Handlers::Check(const HttpRequest& request, const std::string& subject,
                          std::optional<int32_t> only_version) {
  auto posted = ParsePostedSchema(request.body);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const Status caught_up = store_.CatchUp(options_.look_timeout);
  if (!caught_up.ok()) return StoreFailure(caught_up);

  CompatibilityLevel level = CompatibilityLevel::kBackward;
  std::vector<EarlierVersion> earlier;
  store_.Read([&](const State& state) {
    level = state.LevelOf(subject);
    earlier = EarlierVersions(state, subject);
  });
  if (only_version.has_value() && *only_version != kLatest) {
    if (earlier.empty()) return UnknownSubject(subject);
    std::erase_if(earlier, [&](const auto& one) { return one.version != *only_version; });
    if (earlier.empty()) return UnknownVersion(*only_version);
  } else if (only_version.has_value() && earlier.size() > 1) {
    earlier.erase(earlier.begin(), earlier.end() - 1);
  }
  const auto reasons = CheckCompatible(level, std::get<PostedSchema>(posted).schema, earlier);
  json out = {{"is_compatible", reasons.empty()}};
  if (request.query("verbose") == "true") out["messages"] = reasons;
  return out;
}

RestReply Handlers::CheckOne(const HttpRequest& request) {
  const auto version = ParseVersion(request.captures.at(1));
  if (const auto* error = std::get_if<RestError>(&version)) return *error;
  return Check(request, request.captures.at(0), std::get<int32_t>(version));
}

RestReply Handlers::CheckAll(const HttpRequest& request) {
  return Check(request, request.captures.at(0), std::nullopt);
}

RestReply Handlers::GetGlobalLevel(const HttpRequest&) {
  json out;
  store_.Read([&](const State& state) {
    out = {{"compatibilityLevel", Name(state.global_level())}};
  });
  return out;
}

RestReply Handlers::GetLevel(const HttpRequest& request) {
  const std::string& subject = request.captures.at(0);
  const bool or_global = request.query("defaultToGlobal") == "true";
  std::optional<CompatibilityLevel> level;
  store_.Read([&](const State& state) {
    level = state.SubjectLevel(subject);
    if (!level.has_value() && or_global) level = state.global_level();
  });
  if (level.has_value()) return json{{"compatibilityLevel", Name(*level)}};
  return RestError{kNoSubjectLevel, "Subject '" + subject +
                                        "' does not have subject-level compatibility configured"};
}

// {"compatibility": "NONE"}, of one subject or, without one in the path, of all.
RestReply Handlers::PutLevel(const HttpRequest& request) {
  const json posted = json::parse(request.body, nullptr, false);
  if (!posted.is_object()) return RestError{400, "The body is not a JSON object"};
  const json name = posted.value("compatibility", json());
  LevelRecord record{request.captures.empty() ? "" : request.captures.at(0), std::nullopt};
  if (name.is_string()) record.level = ParseCompatibilityLevel(name.get_ref<const std::string&>());
  if (!record.level.has_value()) {
    return RestError{kInvalidLevel,
                     "Invalid compatibility level. Valid values are NONE, BACKWARD, FORWARD, FULL, "
                     "BACKWARD_TRANSITIVE, FORWARD_TRANSITIVE, and FULL_TRANSITIVE"};
  }
  const Decide decide = [&](const State& state) -> std::optional<KeyAndValue> {
    const auto now = record.subject.empty() ? std::optional(state.global_level())
                                            : state.SubjectLevel(record.subject);
    if (now == record.level) return std::nullopt;
    return Serialize(record);
  };
  const Status written = store_.Write(decide, options_.write_timeout);
  if (!written.ok()) return StoreFailure(written);
  return json{{"compatibility", Name(*record.level)}};
}

RestReply GetRoot(const HttpRequest&) { return json::object(); }
RestReply GetTypes(const HttpRequest&) { return json{"AVRO"}; }
RestReply GetMode(const HttpRequest&) { return json{{"mode", "READWRITE"}}; }

}  // namespace

HttpReply ToHttp(const RestReply& reply) {
  constexpr auto kReplace = json::error_handler_t::replace;  // Bytes that are no UTF-8.
  if (const auto* body = std::get_if<json>(&reply)) {
    return {200, body->dump(-1, ' ', false, kReplace), kMediaType};
  }
  const auto& error = std::get<RestError>(reply);
  const json body = {{"error_code", error.code}, {"message", error.message}};
  const int status = error.code >= 1000 ? error.code / 100 : error.code;
  return {status, body.dump(-1, ' ', false, kReplace), kMediaType};
}

void AddRoutes(HttpServer& server, Store& store, HandlerOptions options) {
  struct Row {
    const char* method;
    const char* pattern;
    RestReply (Handlers::*handle)(const HttpRequest&);
  };
  // The first pattern that matches serves.
  static constexpr Row kRows[] = {
      {"GET", "/subjects/?", &Handlers::ListSubjects},
      {"GET", kSubjectVersions, &Handlers::ListVersions},
      {"GET", kSubjectVersionSchema, &Handlers::GetVersionSchema},
      {"GET", kSubjectVersion, &Handlers::GetVersion},
      {"POST", kSubjectVersions, &Handlers::Register},
      {"POST", "/subjects/(.+)", &Handlers::LookUp},
      {"GET", "/schemas/ids/([^/]+)", &Handlers::GetById},
      {"GET", "/schemas/ids/([^/]+)/schema", &Handlers::GetSchemaById},
      {"GET", "/schemas/ids/([^/]+)/subjects", &Handlers::GetSubjectsOfId},
      {"GET", "/schemas/ids/([^/]+)/versions", &Handlers::GetVersionsOfId},
      {"POST", "/compatibility/subjects/(.+)/versions/([^/]+)", &Handlers::CheckOne},
      {"POST", "/compatibility/subjects/(.+)/versions/?", &Handlers::CheckAll},
      {"GET", "/config/?", &Handlers::GetGlobalLevel},
      {"PUT", "/config/?", &Handlers::PutLevel},
      {"GET", "/config/(.+)", &Handlers::GetLevel},
      {"PUT", "/config/(.+)", &Handlers::PutLevel},
  };
  auto handlers = std::make_shared<Handlers>(store, options);
  for (const Row& row : kRows) {
    server.Route(
        row.method, row.pattern, [handlers, handle = row.handle](const HttpRequest& request) {
          const Status ready = handlers->store().Ready();
          if (!ready.ok()) {
            return ToHttp(RestError{kStarting, "The registry is not ready: " + ready.message()});
          }
          return ToHttp(((*handlers).*handle)(request));
        });
  }
  server.Route("GET", "/", [](const HttpRequest& request) { return ToHttp(GetRoot(request)); });
  server.Route("GET", "/schemas/types/?",
               [](const HttpRequest& request) { return ToHttp(GetTypes(request)); });
  server.Route("GET", "/mode/?",
               [](const HttpRequest& request) { return ToHttp(GetMode(request)); });
  server.OnError([](int status, const HttpRequest&) {
    const std::string text = status == 404   ? "HTTP 404 Not Found"
                             : status == 405 ? "HTTP 405 Method Not Allowed"
                             : status == 413 ? "The schema is too large"
                                             : "HTTP " + std::to_string(status);
    return ToHttp(RestError{status, text});
  });
}

}  // namespace shopstream::registry
