#include "registry/client.h"

#include <cctype>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

#include "base/error_kind.h"
#include "base/http_client.h"
#include "base/json.h"
#include "registry/references.h"
#include "registry/rest.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;

// A registry may itself wait for Kafka to find a new leader while it writes.
constexpr Millis kTimeout{35000};
// A look-up of an id blocks a stream, whose owner retries anyway.
constexpr Millis kLookUpTimeout{5000};

// Limit on the schemas that one schema may refer to, directly or indirectly.
constexpr int kMaxReferenceDepth = 32;
constexpr size_t kMaxReferences = 200;

// RFC 3986: a subject is a single path segment, whatever it contains.
std::string PercentEncode(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += static_cast<char>(c);
    } else {
      out += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return out;
}

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
  Result<Answer> Post(const std::string& path, const json& body) {
    std::lock_guard lock(connection_mutex);
    ARROW_ASSIGN_OR_RAISE(HttpResponse response, connection.Post(path, DumpJson(body), kMediaType));
    return ToAnswer(response);
  }
  Result<RegisteredSchema> GetVersion(const std::string& subject, const std::string& version);
  // The schema in a registry's answer, with its references inlined.
  Result<std::string> WholeSchema(const json& answer);
  Status AddDefinitions(const json& answer, int depth, std::set<std::string>* seen,
                        std::vector<std::string>* definitions);
};

namespace {

Result<RegisteredSchema> ToSchema(const std::string& call, const json& body) {
  try {
    RegisteredSchema schema;
    schema.id = body.at("id");
    schema.version = body.value("version", 0);
    schema.subject = body.value("subject", "");
    schema.schema = body.at("schema");
    return schema;
  } catch (const json::exception&) {
    return NotARegistry(call, "id and schema");
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
  return ToSchema(call, answer.body);
}

Result<std::string> Client::Impl::WholeSchema(const json& answer) {
  std::set<std::string> seen;
  std::vector<std::string> definitions;
  ARROW_RETURN_NOT_OK(AddDefinitions(answer, 0, &seen, &definitions));
  return SelfContained(answer.at("schema"), definitions);
}

// Uses the connection of look-ups, whose lock is held. Deleted versions count: a live schema may
// refer to them.
Status Client::Impl::AddDefinitions(const json& answer, int depth, std::set<std::string>* seen,
                                    std::vector<std::string>* definitions) {
  const json references = answer.value("references", json());
  if (!references.is_array()) return Status::OK();
  if (depth > kMaxReferenceDepth) return Status::Invalid("references nest too deep");
  for (const json& one : references) {
    const json subject = one.is_object() ? one.value("subject", json()) : json();
    const json version = one.is_object() ? one.value("version", json()) : json();
    if (!subject.is_string() || !version.is_number_integer()) {
      return Status::Invalid("a reference has no subject and version");
    }
    const std::string path =
        VersionsPath(subject) + "/" + std::to_string(version.get<int32_t>()) + "?deleted=true";
    if (!seen->insert(path).second) continue;
    if (seen->size() > kMaxReferences) return Status::Invalid("it has too many references");
    ARROW_ASSIGN_OR_RAISE(const HttpResponse response, look_up_connection.Get(path));
    const Answer referenced = ToAnswer(response);
    if (referenced.status != 200) return ToStatus("GET " + url + path, referenced);
    if (!referenced.body.is_object() || !referenced.body.value("schema", json()).is_string()) {
      return NotARegistry("GET " + url + path, "schema");
    }
    ARROW_RETURN_NOT_OK(AddDefinitions(referenced.body, depth + 1, seen, definitions));
    definitions->push_back(referenced.body["schema"]);
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
  std::unique_lock connection_lock(impl_->look_up_mutex);
  const auto response = impl_->look_up_connection.Get(path);
  if (!response.ok()) {
    look_up.detail = response.status().message();
    return look_up;
  }
  const Answer answer = ToAnswer(*response);
  if (answer.status == 404 && answer.error_code == kSchemaNotFound) {
    look_up.outcome = LookUpOutcome::kUnknown;
    return look_up;
  }
  const bool has_schema = answer.status == 200 && answer.body.is_object() &&
                          answer.body.value("schema", json()).is_string();
  if (!has_schema) {
    look_up.detail = answer.status == 200 ? NotARegistry(call, "schema").message()
                                          : ToStatus(call, answer).message();
    return look_up;
  }
  auto whole = impl_->WholeSchema(answer.body);
  connection_lock.unlock();
  if (!whole.ok()) {
    look_up.detail = call + ": the schema cannot be assembled: " + whole.status().message();
    return look_up;
  }
  look_up.outcome = LookUpOutcome::kFound;
  look_up.schema.id = id;
  look_up.schema.schema = *std::move(whole);
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

Result<RegisteredSchema> Client::Register(const std::string& subject, const std::string& schema) {
  const std::string path = VersionsPath(subject);
  const std::string call = "POST " + impl_->url + path;
  ARROW_ASSIGN_OR_RAISE(const Answer answer, impl_->Post(path, {{"schema", schema}}));
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

Result<CompatibilityVerdict> Client::CheckCompatible(const std::string& subject,
                                                     const std::string& schema) {
  CompatibilityVerdict verdict;
  const auto versions = Versions(subject);
  if (versions.status().IsKeyError()) {
    verdict.compatible = verdict.first_version = true;
    return verdict;
  }
  ARROW_RETURN_NOT_OK(versions);
  const std::string path = "/compatibility" + VersionsPath(subject) + "/latest?verbose=true";
  const std::string call = "POST " + impl_->url + path;
  ARROW_ASSIGN_OR_RAISE(const Answer answer, impl_->Post(path, {{"schema", schema}}));
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
