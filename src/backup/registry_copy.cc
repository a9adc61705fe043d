#include "backup/registry_copy.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/http_client.h"
#include "base/http_query.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secrets.h"

namespace shopstream::backup {
namespace {

using nlohmann::json;

constexpr Millis kTimeout{30'000};
constexpr int kPage = 1000;
constexpr char kContentType[] = "application/vnd.schemaregistry.v1+json";

Status Unexpected(const RegistryConfig& config, const std::string& what,
                  const HttpResponse& answer) {
  const Status error =
      Status::Invalid("the registry ", WithoutCredentials(config.url), " answered ", answer.status,
                      " to ", what, ": ", Printable(answer.body.substr(0, 500)));
  if (answer.status == 401 || answer.status == 403) return WithKind(ErrorKind::kRefused, error);
  return answer.status >= 500 ? WithKind(ErrorKind::kUnavailable, error) : error;
}

using Key = std::pair<std::string, int64_t>;  // Subject and version.
Key KeyOf(const json& version) {
  return {version.at("subject").get<std::string>(), version.at("version").get<int64_t>()};
}

class Registry {
 public:
  static Result<Registry> Open(const RegistryConfig& config) {
    const HttpAccess access{config.username, config.password, config.ca_file, "registry.url"};
    ARROW_ASSIGN_OR_RAISE(HttpClient client, HttpClient::Open(config.url, kTimeout, access));
    return Registry(config, std::move(client));
  }

  // Null: 404.
  Result<json> Get(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const HttpResponse answer, client_.Get(path));
    if (answer.status == 404) return json();
    if (answer.status != 200) return Unexpected(config_, "GET " + path, answer);
    return ParseJson(answer.body);
  }
  Status Put(const std::string& path, const json& body) {
    ARROW_ASSIGN_OR_RAISE(const auto answer, client_.Put(path, body.dump(), kContentType));
    return answer.status == 200 ? Status::OK() : Unexpected(config_, "PUT " + path, answer);
  }
  Status Post(const std::string& path, const json& body) {
    ARROW_ASSIGN_OR_RAISE(const auto answer, client_.Post(path, body.dump(), kContentType));
    return answer.status == 200 ? Status::OK() : Unexpected(config_, "POST " + path, answer);
  }
  Status Delete(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const auto answer, client_.Delete(path));
    return answer.status == 200 ? Status::OK() : Unexpected(config_, "DELETE " + path, answer);
  }

  // A registry may give fewer than it is asked for, so the last page is the empty one; or all, if
  // it knows no pages.
  Result<std::vector<json>> Versions(bool deleted) {
    std::vector<json> versions;
    std::set<Key> seen;
    json before;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const json page,
                            Get("/schemas?deleted=" + std::string(deleted ? "true" : "false") +
                                "&subjectPrefix=:*:&offset=" + std::to_string(versions.size()) +
                                "&limit=" + std::to_string(kPage)));
      if (!page.is_array()) {
        return Status::Invalid("the registry ", WithoutCredentials(config_.url),
                               " does not list its schemas (GET /schemas): it is not compatible ",
                               "with Confluent's release 7");
      }
      if (page.empty() || (page == before && page.size() < kPage)) return versions;
      for (const json& version : page) {
        if (!seen.insert(KeyOf(version)).second) {
          return Unavailable("the registry ", WithoutCredentials(config_.url), " listed version ",
                             KeyOf(version).second, " of subject ", KeyOf(version).first,
                             " twice: its schemas changed while they were read; try again");
        }
        versions.push_back(version);
      }
      before = page;
    }
  }

 private:
  Registry(const RegistryConfig& config, HttpClient client)
      : config_(config), client_(std::move(client)) {}

  RegistryConfig config_;
  HttpClient client_;
};

std::string SubjectPath(const json& version) {
  return "/subjects/" + PercentEncode(version.at("subject").get<std::string>());
}

bool SameSchema(const json& one, const json& other) {
  return one.at("id") == other.at("id") && one.at("schema") == other.at("schema");
}

// Only what POST takes.
json Registration(const json& version) {
  json body;
  for (const char* field :
       {"schema", "schemaType", "references", "metadata", "ruleSet", "id", "version"}) {
    if (version.contains(field) && !version.at(field).is_null()) body[field] = version.at(field);
  }
  return body;
}

// Does it for all versions. A schema may refer to any other, and the registry refuses the wrong
// order, so it takes rounds.
template <typename Act>
Status InRounds(std::vector<json> versions, const Act& act) {
  while (!versions.empty()) {
    std::vector<json> left;
    Status failure;
    for (json& version : versions) {
      const Status done = act(version);
      if (done.ok()) continue;
      if (KindOf(done) != ErrorKind::kInvalid) return done;
      failure = done;
      left.push_back(std::move(version));
    }
    if (left.size() == versions.size()) return failure;
    versions = std::move(left);
  }
  return Status::OK();
}

Status RegisterAll(Registry* registry, std::vector<json> missing, RegistryRestore* result) {
  std::ranges::sort(missing, {},
                    [](const json& version) { return version.at("id").get<int64_t>(); });
  return InRounds(std::move(missing), [&](const json& version) {
    const Status posted = registry->Post(SubjectPath(version) + "/versions", Registration(version));
    if (posted.ok()) ++result->versions;
    return posted;
  });
}

// Levels and modes, and which versions are deleted.
Status Complete(Registry* registry, const json& exported, const std::set<Key>& deleted_there) {
  std::vector<json> deleted;
  for (const json& version : exported.at("versions")) {
    if (!version.value("deleted", false) || deleted_there.contains(KeyOf(version))) continue;
    deleted.push_back(version);
  }
  ARROW_RETURN_NOT_OK(InRounds(std::move(deleted), [&](const json& version) {
    return registry->Delete(SubjectPath(version) + "/versions/" +
                            std::to_string(KeyOf(version).second));
  }));
  if (exported.at("config").is_object()) {
    const json& level = exported.at("config").at("compatibilityLevel");
    ARROW_RETURN_NOT_OK(registry->Put("/config", {{"compatibility", level}}));
  }
  for (const auto& [subject, config] : exported.at("configs").items()) {
    json body = config;
    if (body.contains("compatibilityLevel")) {
      body["compatibility"] = body["compatibilityLevel"];
      body.erase("compatibilityLevel");
    }
    ARROW_RETURN_NOT_OK(registry->Put("/config/" + PercentEncode(subject), body));
  }
  for (const auto& [subject, mode] : exported.at("modes").items()) {
    ARROW_RETURN_NOT_OK(registry->Put("/mode/" + PercentEncode(subject) + "?force=true", mode));
  }
  return Status::OK();
}

bool IsModeToKeep(const json& mode) {
  return mode.is_object() && mode.value("mode", "") != "IMPORT";  // That is of a killed restore.
}

// In the modes that this needs; then in the mode of the backup, or after an error in that before.
Status RegisterAndComplete(Registry* registry, const json& exported, std::vector<json> missing,
                           const std::set<Key>& deleted_there, RegistryRestore* result) {
  const json writable{{"mode", "READWRITE"}};
  ARROW_ASSIGN_OR_RAISE(json now, registry->Get("/mode"));
  const json before = IsModeToKeep(now) ? now : writable;
  const json mode_of_backup = exported.value("mode", json());
  const auto set = [&](const json& mode) -> Status {
    if (mode == now) return Status::OK();
    ARROW_RETURN_NOT_OK(registry->Put("/mode?force=true", mode));
    now = mode;
    return Status::OK();
  };
  Status done;
  if (!missing.empty()) {
    done = set({{"mode", "IMPORT"}});
    if (done.ok()) done = RegisterAll(registry, std::move(missing), result);
  }
  const bool has_modes = now.is_object();
  if (done.ok() && has_modes) done = set(writable);
  if (done.ok()) done = Complete(registry, exported, deleted_there);
  const json& last = done.ok() && IsModeToKeep(mode_of_backup) ? mode_of_backup : before;
  const Status mode_set = has_modes ? set(last) : Status::OK();
  return done.ok() ? mode_set : done;
}

Result<RegistryRestore> Import(Registry* registry, const json& exported) {
  RegistryRestore result;
  ARROW_ASSIGN_OR_RAISE(const auto present, registry->Versions(true));
  ARROW_ASSIGN_OR_RAISE(const auto live, registry->Versions(false));
  std::map<Key, json> by_key;
  for (const json& version : present) by_key[KeyOf(version)] = version;
  std::set<Key> deleted_there;
  for (const auto& [key, version] : by_key) deleted_there.insert(key);
  for (const json& version : live) deleted_there.erase(KeyOf(version));

  std::vector<json> missing;
  for (const json& version : exported.at("versions")) {
    const auto there = by_key.find(KeyOf(version));
    if (there == by_key.end()) {
      missing.push_back(version);
    } else if (SameSchema(there->second, version)) {
      if (deleted_there.contains(there->first) && !version.value("deleted", false)) {
        missing.push_back(version);
      } else {
        ++result.present;
      }
    } else {
      return Status::Invalid("version ", KeyOf(version).second, " of subject ",
                             KeyOf(version).first, " is another schema in the registry (id ",
                             there->second.at("id").dump(), ") than in the backup (id ",
                             version.at("id").dump(), "): restore into an empty registry");
    }
  }
  ARROW_RETURN_NOT_OK(
      RegisterAndComplete(registry, exported, std::move(missing), deleted_there, &result));
  return result;
}

Result<std::string> Export(Registry* registry) {
  ARROW_ASSIGN_OR_RAISE(auto versions, registry->Versions(true));
  ARROW_ASSIGN_OR_RAISE(const auto live, registry->Versions(false));
  std::set<Key> alive;
  for (const json& version : live) alive.insert(KeyOf(version));
  json out{{"versions", json::array()}, {"configs", json::object()}, {"modes", json::object()}};
  std::set<std::string> subjects;
  for (json& version : versions) {
    subjects.insert(version.at("subject").get<std::string>());
    version["deleted"] = !alive.contains(KeyOf(version));
    out["versions"].push_back(std::move(version));
  }
  ARROW_ASSIGN_OR_RAISE(out["config"], registry->Get("/config"));
  ARROW_ASSIGN_OR_RAISE(out["mode"], registry->Get("/mode"));
  for (const std::string& subject : subjects) {
    ARROW_ASSIGN_OR_RAISE(const json level, registry->Get("/config/" + PercentEncode(subject)));
    if (level.is_object()) out["configs"][subject] = level;
    ARROW_ASSIGN_OR_RAISE(const json mode, registry->Get("/mode/" + PercentEncode(subject)));
    if (mode.is_object()) out["modes"][subject] = mode;
  }
  return out.dump(1) + "\n";
}

}  // namespace

Result<std::string> ExportRegistry(const RegistryConfig& config) {
  ARROW_ASSIGN_OR_RAISE(Registry registry, Registry::Open(config));
  try {
    return Export(&registry);
  } catch (const json::exception& e) {
    return Corrupt("the answers of the registry ", WithoutCredentials(config.url),
                   " are not understood (", e.what(), ")");
  }
}

Result<RegistryRestore> ImportRegistry(const RegistryConfig& config, const std::string& exported) {
  const json parsed = ParseJson(exported);
  ARROW_ASSIGN_OR_RAISE(Registry registry, Registry::Open(config));
  try {
    return Import(&registry, parsed);
  } catch (const json::exception& e) {
    return Corrupt("the registry's export is not understood (", e.what(), ")");
  }
}

}  // namespace shopstream::backup
