#include "registry/client.h"

#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

#include "base/error_kind.h"
#include "base/http_client.h"
#include "base/http_query.h"
#include "base/json.h"
#include "registry/context.h"
#include "registry/references.h"
#include "registry/rest.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;

// A registry may itself wait for Kafka to find a new leader while it writes.
constexpr Millis kTimeout{35000};
// A look-up of an id blocks a stream, whose owner retries anyway.
constexpr Millis kLookUpTimeout{5000};

// A registry's answer, as detailed as callers need it.
struct Answer {
  int status = 0;
  int error_code = 0;  // 0 if the body has none.
  std::string message;
  json body;
};

Answer ToAnswer(const HttpResponse& response) {
  Answer answer;
  answer.status = response.status;
  answer.body = ParseJson(response.body);
  if (answer.body.is_object()) {
    const json code = answer.body.value("error_code", json());
    const json message = answer.body.value("message", json());
    if (code.is_number_integer()) answer.error_code = code;
    if (message.is_string()) answer.message = message;
  }
  if (answer.message.empty()) answer.message = response.body.substr(0, 200);
  return answer;
}

const char* RemedyFor(const Answer& answer) {
  if (answer.status == 401 || answer.status == 403) {
    return "; set registry.username and registry.password, or grant the user access";
  }
  if (answer.status == 409) {
    return "; give new fields a default, or register it under another subject";
  }
  if (answer.status == 503) return "; it is starting: try again in a moment";
  if (answer.status >= 500) return "; see the registry's log, and whether Kafka is up";
  if (answer.error_code == 0) return "; is registry.url the URL of a schema registry?";
  return "";
}

Status ToStatus(const std::string& call, const Answer& answer) {
  const std::string text =
      call + ": " + std::to_string(answer.status) + " " + answer.message + RemedyFor(answer);
  if (answer.error_code == kSubjectNotFound || answer.error_code == kVersionNotFound) {
    return Status::KeyError(text);
  }
  if (answer.status == 409 || answer.status == 422) return Status::Invalid(text);
  if (answer.status == 401 || answer.status == 403) return Refused(text);
  const bool passing = answer.status >= 500 || answer.status == 408 || answer.status == 429;
  return WithKind(passing ? ErrorKind::kUnavailable : ErrorKind::kInvalid, Status::IOError(text));
}

Status NotARegistry(const std::string& call, const std::string& missing) {
  return WithKind(ErrorKind::kInvalid,
                  Status::IOError(call, ": the answer has no ", missing,
                                  ": is registry.url the URL of a schema registry?"));
}

}  // namespace

struct Client::Impl {
  std::string url;
  std::mutex connection_mutex;
  HttpClient connection;
  std::mutex look_up_mutex;
  HttpClient look_up_connection;

  std::shared_mutex cache_mutex;
  std::map<int32_t, RegisteredSchema> cache;

  Impl(std::string base_url, HttpClient calls, HttpClient look_ups)
      : url(std::move(base_url)),
        connection(std::move(calls)),
        look_up_connection(std::move(look_ups)) {}

  Result<Answer> Get(const std::string& path) {
    std::lock_guard lock(connection_mutex);
    ARROW_ASSIGN_OR_RAISE(HttpResponse response, connection.Get(path));
    return ToAnswer(response);
  }
  Result<HttpResponse> LookUpGet(const std::string& path) {
    std::lock_guard lock(look_up_mutex);
    return look_up_connection.Get(path);
  }
  Result<Answer> Post(const std::string& path, const json& body) {
    std::lock_guard lock(connection_mutex);
    ARROW_ASSIGN_OR_RAISE(HttpResponse response, connection.Post(path, DumpJson(body), kMediaType));
    return ToAnswer(response);
  }
  Result<RegisteredSchema> GetVersion(const std::string& subject, const std::string& version);
  // Inlines the schemas that this one refers to. Takes the lock of look-ups.
  Status Complete(RegisteredSchema* schema);
  Result<std::string> Inline(const std::string& subject, const std::string& schema,
                             const std::vector<SchemaReference>& references);
  Status AddDefinitions(const std::string& subject, const std::vector<SchemaReference>& references,
                        int depth, std::set<std::string>* seen,
                        std::vector<std::string>* definitions);
  // A subject that has the id; "" if the registry is too old to report it.
  Result<std::string> SubjectOfId(int32_t id);
};

namespace {

// Answers by id carry no id; for references it is not needed.
Result<RegisteredSchema> ToSchema(const std::string& call, const json& body) {
  try {
    RegisteredSchema schema;
    schema.id = body.value("id", 0);
    schema.version = body.value("version", 0);
    schema.subject = body.value("subject", "");
    schema.raw = schema.schema = body.at("schema");
    schema.schema_type = body.value("schemaType", "AVRO");
    for (const json& one : body.value("references", json::array())) {
      schema.references.push_back({one.at("name"), one.at("subject"), one.at("version")});
    }
    return schema;
  } catch (const json::exception&) {
    return NotARegistry(call, "schema");
  }
}

template <typename T>
Result<std::vector<T>> ToList(const std::string& call, const Answer& answer) {
  if (answer.status != 200) return ToStatus(call, answer);
  try {
    return answer.body.get<std::vector<T>>();
  } catch (const json::exception&) {
    return NotARegistry(call, "list");
  }
}

json ToBody(const std::string& schema, const std::vector<SchemaReference>& references) {
  json body = {{"schema", schema}};
  for (const SchemaReference& one : references) {
    body["references"].push_back(
        {{"name", one.name}, {"subject", one.subject}, {"version", one.version}});
  }
  return body;
}

std::string VersionsPath(const std::string& subject) {
  return "/subjects/" + PercentEncode(subject) + "/versions";
}

}  // namespace

Result<RegisteredSchema> Client::Impl::GetVersion(const std::string& subject,
                                                  const std::string& version) {
  const std::string path = VersionsPath(subject) + "/" + version;
  const std::string call = "GET " + url + path;
  ARROW_ASSIGN_OR_RAISE(const Answer answer, Get(path));
  if (answer.status != 200) return ToStatus(call, answer);
  ARROW_ASSIGN_OR_RAISE(RegisteredSchema schema, ToSchema(call, answer.body));
  const Status completed = Complete(&schema);
  if (completed.ok()) return schema;
  return completed.WithMessage(call, ": the schema cannot be assembled: ", completed.message());
}

Status Client::Impl::Complete(RegisteredSchema* schema) {
  if (schema->schema_type != "AVRO" || schema->references.empty()) return Status::OK();
  if (schema->subject.empty()) {
    ARROW_ASSIGN_OR_RAISE(schema->subject, SubjectOfId(schema->id));
  }
  return Inline(schema->subject, schema->raw, schema->references).Value(&schema->schema);
}

Result<std::string> Client::Impl::SubjectOfId(int32_t id) {
  const std::string path = "/schemas/ids/" + std::to_string(id) + "/subjects?deleted=true";
  ARROW_ASSIGN_OR_RAISE(const HttpResponse response, LookUpGet(path));
  const Answer answer = ToAnswer(response);
  if (answer.status == 404) return "";
  ARROW_ASSIGN_OR_RAISE(const auto subjects, ToList<std::string>("GET " + url + path, answer));
  return subjects.empty() ? "" : subjects.front();
}

Result<std::string> Client::Impl::Inline(const std::string& subject, const std::string& schema,
                                         const std::vector<SchemaReference>& references) {
  std::lock_guard lock(look_up_mutex);
  std::set<std::string> seen;
  std::vector<std::string> definitions;
  ARROW_RETURN_NOT_OK(AddDefinitions(subject, references, 0, &seen, &definitions));
  return SelfContained(schema, definitions);
}

// Uses the connection of look-ups, whose lock is held. Deleted versions count: a live schema may
// refer to them. A reference without a context is in that of `subject`, which has it.
Status Client::Impl::AddDefinitions(const std::string& subject,
                                    const std::vector<SchemaReference>& references, int depth,
                                    std::set<std::string>* seen,
                                    std::vector<std::string>* definitions) {
  if (depth > kMaxReferenceDepth) return Status::Invalid("references nest too deep");
  for (const SchemaReference& one : references) {
    const std::string referred = InContextOf(subject, one.subject);
    const std::string path =
        VersionsPath(referred) + "/" + std::to_string(one.version) + "?deleted=true";
    if (!seen->insert(path).second) continue;
    if (seen->size() > kMaxReferences) return Status::Invalid("it has too many references");
    const std::string call = "GET " + url + path;
    ARROW_ASSIGN_OR_RAISE(const HttpResponse response, look_up_connection.Get(path));
    const Answer referenced = ToAnswer(response);
    if (referenced.status != 200) return ToStatus(call, referenced);
    ARROW_ASSIGN_OR_RAISE(const RegisteredSchema schema, ToSchema(call, referenced.body));
    ARROW_RETURN_NOT_OK(AddDefinitions(referred, schema.references, depth + 1, seen, definitions));
    definitions->push_back(schema.raw);
  }
  return Status::OK();
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::Open(const RegistryConfig& config) {
  const HttpAccess access{config.username, config.password, config.ca_file, "registry.url"};
  ARROW_ASSIGN_OR_RAISE(HttpClient calls, HttpClient::Open(config.url, kTimeout, access));
  ARROW_ASSIGN_OR_RAISE(HttpClient look_ups, HttpClient::Open(config.url, kLookUpTimeout, access));
  auto impl = std::make_unique<Impl>(config.url, std::move(calls), std::move(look_ups));
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

LookUp Client::ById(int32_t id) {
  LookUp look_up;
  {
    std::shared_lock lock(impl_->cache_mutex);
    const auto found = impl_->cache.find(id);
    if (found != impl_->cache.end()) return {LookUpOutcome::kFound, found->second, ""};
  }
  const std::string path = "/schemas/ids/" + std::to_string(id);
  const std::string call = "GET " + impl_->url + path;
  const auto response = impl_->LookUpGet(path);
  if (!response.ok()) {
    look_up.detail = response.status().message();
    return look_up;
  }
  const Answer answer = ToAnswer(*response);
  if (answer.status == 404 && answer.error_code == kSchemaNotFound) {
    look_up.outcome = LookUpOutcome::kUnknown;
    return look_up;
  }
  if (answer.status != 200) {
    look_up.detail = ToStatus(call, answer).message();
    return look_up;
  }
  auto found = ToSchema(call, answer.body);
  if (!found.ok()) {
    look_up.detail = found.status().message();
    return look_up;
  }
  found->id = id;
  if (const Status completed = impl_->Complete(&*found); !completed.ok()) {
    look_up.detail = call + ": the schema cannot be assembled: " + completed.message();
    return look_up;
  }
  look_up.outcome = LookUpOutcome::kFound;
  look_up.schema = *std::move(found);
  look_up.schema.subject.clear();  // One of several, perhaps.
  look_up.schema.version = 0;
  std::unique_lock lock(impl_->cache_mutex);
  impl_->cache.insert({id, look_up.schema});
  return look_up;
}

Result<RegisteredSchema> Client::Latest(const std::string& subject) {
  return impl_->GetVersion(subject, "latest");
}

Result<RegisteredSchema> Client::Version(const std::string& subject, int32_t version) {
  return impl_->GetVersion(subject, std::to_string(version));
}

Result<std::string> Client::Inline(const std::string& subject, const std::string& schema,
                                   const std::vector<SchemaReference>& references) {
  return impl_->Inline(subject, schema, references);
}

Result<RegisteredSchema> Client::Register(const std::string& subject, const std::string& schema,
                                          const std::vector<SchemaReference>& references) {
  const std::string path = VersionsPath(subject);
  const std::string call = "POST " + impl_->url + path;
  ARROW_ASSIGN_OR_RAISE(const Answer answer, impl_->Post(path, ToBody(schema, references)));
  if (answer.status != 200) return ToStatus(call, answer);
  if (!answer.body.is_object() || !answer.body.value("id", json()).is_number_integer()) {
    return NotARegistry(call, "id");
  }
  RegisteredSchema registered;
  registered.id = answer.body["id"];
  const json version = answer.body.value("version", json());
  if (version.is_number_integer()) registered.version = version;
  registered.subject = subject;
  registered.schema = schema;
  return registered;
}

Result<std::vector<std::string>> Client::Subjects() {
  ARROW_ASSIGN_OR_RAISE(const Answer answer, impl_->Get("/subjects"));
  return ToList<std::string>("GET " + impl_->url + "/subjects", answer);
}

Result<std::vector<int32_t>> Client::Versions(const std::string& subject) {
  const std::string path = VersionsPath(subject);
  ARROW_ASSIGN_OR_RAISE(const Answer answer, impl_->Get(path));
  return ToList<int32_t>("GET " + impl_->url + path, answer);
}

Result<std::string> Client::Level(const std::string& subject) {
  const std::string path = "/config/" + PercentEncode(subject) + "?defaultToGlobal=true";
  ARROW_ASSIGN_OR_RAISE(const Answer answer, impl_->Get(path));
  if (answer.status != 200) return ToStatus("GET " + impl_->url + path, answer);
  const json level =
      answer.body.is_object() ? answer.body.value("compatibilityLevel", json()) : json();
  if (level.is_string()) return level.get<std::string>();
  return NotARegistry("GET " + impl_->url + path, "compatibilityLevel");
}

Result<CompatibilityVerdict> Client::CheckCompatible(
    const std::string& subject, const std::string& schema,
    const std::vector<SchemaReference>& references) {
  CompatibilityVerdict verdict;
  const auto versions = Versions(subject);
  if (versions.status().IsKeyError()) {
    verdict.compatible = verdict.first_version = true;
    return verdict;
  }
  ARROW_RETURN_NOT_OK(versions);
  ARROW_ASSIGN_OR_RAISE(verdict.level, Level(subject));
  verdict.versions = *versions;
  const bool transitive = verdict.level.ends_with("_TRANSITIVE");
  if (!transitive && !versions->empty()) verdict.versions = {versions->back()};
  const std::string base = "/compatibility" + VersionsPath(subject);
  // Compares with the versions of the level; older registries only compare with one version.
  std::string path = base + "?verbose=true";
  ARROW_ASSIGN_OR_RAISE(Answer answer, impl_->Post(path, ToBody(schema, references)));
  if (answer.status == 405 || (answer.status == 404 && answer.error_code != kSubjectNotFound)) {
    path = base + "/latest?verbose=true";
    if (!versions->empty()) verdict.versions = {versions->back()};
    ARROW_ASSIGN_OR_RAISE(answer, impl_->Post(path, ToBody(schema, references)));
  }
  const std::string call = "POST " + impl_->url + path;
  if (answer.status != 200) return ToStatus(call, answer);
  try {
    verdict.compatible = answer.body.at("is_compatible");
    verdict.reasons = answer.body.value("messages", std::vector<std::string>());
  } catch (const json::exception&) {
    return NotARegistry(call, "is_compatible");
  }
  return verdict;
}

}  // namespace shopstream::registry
