#include "backup/parts.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "backup/registry_copy.h"
#include "base/config_settings.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/read_file.h"
#include "base/secrets.h"
#include "base/sha256.h"
#include "kafka/acl_admin.h"
#include "kafka/admin.h"
#include "kafka/topic_plan.h"

namespace shopstream::backup {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kRegistryTopic[] = "_schemas";

std::string SettingsText(Config config) {
  std::string text;
  const auto add = [&text](const std::string& key, const std::string& value) {
    text += key + "=" +
            (IsSecretName(key) && !value.empty() ? std::string(kHiddenSecret)
                                                 : WithoutCredentials(value)) +
            "\n";
  };
  for (const Setting& setting : AllSettings()) add(setting.key, SettingText(setting, config));
  for (const auto& [name, value] : config.kafka.security) add("kafka.security." + name, value);
  return text;
}

Result<std::string> TopicsText(const KafkaConfig& config) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config));
  json topics = json::array();
  for (const std::string& name : {config.topic, std::string(kRegistryTopic)}) {
    ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name));
    if (!topic) continue;
    json own = json::object();
    for (const std::string& key : topic->own_configs) {
      if (!topic->sensitive_configs.contains(key)) own[key] = topic->configs.at(key);
    }
    topics.push_back({{"name", topic->name},
                      {"id", topic->id},
                      {"partitions", topic->partitions.size()},
                      {"replication_factor",
                       topic->partitions.empty() ? 0 : topic->partitions[0].replicas.size()},
                      {"configs", own}});
  }
  return topics.dump(1) + "\n";
}

Result<std::string> AclsText(const KafkaConfig& config) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::AclAdmin::Open(config));
  ARROW_ASSIGN_OR_RAISE(const auto acls, admin->AllAcls());
  json list = json::array();
  for (const kafka::AclBinding& acl : acls.value_or(std::set<kafka::AclBinding>())) {
    list.push_back({{"principal", acl.principal},
                    {"permission", acl.permission},
                    {"operation", acl.operation},
                    {"resource", acl.resource},
                    {"name", acl.name},
                    {"pattern", acl.pattern},
                    {"host", acl.host}});
  }
  return json{{"authorizer", acls.has_value()}, {"acls", std::move(list)}}.dump(1) + "\n";
}

// The SQL files that refine reads: silver.sql, and those of gold/.
void AddSql(const std::string& sql_folder, Parts* parts) {
  if (sql_folder.empty()) return;
  const fs::path folder(sql_folder);
  parts->emplace(std::string(kSqlParts) + "silver.sql", ReadFile((folder / "silver.sql").string()));
  std::error_code error;
  for (fs::directory_iterator at(folder / "gold", error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() != ".sql") continue;
    parts->emplace(std::string(kSqlParts) + "gold/" + at->path().filename().string(),
                   ReadFile(at->path().string()));
  }
  if (error) {
    parts->emplace(
        std::string(kSqlParts) + "gold",
        Status::Invalid("cannot read ", (folder / "gold").string(), ": ", error.message()));
  }
}

bool IsFileOfPipeline(const std::string& part) {
  return part != kRegistryPart && part != kTopicsPart && part != kAclsPart;
}

// Where a part belongs below the folder. Corrupt: the name leads out of it.
Result<fs::path> TargetOf(const fs::path& folder, const std::string& part) {
  const fs::path name(part);
  const bool leads_out = name.is_absolute() || std::ranges::count(name, fs::path("..")) > 0;
  if (leads_out) return Corrupt("the backup has a part with the name ", part);
  return folder / name;
}

Status WriteNewFile(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) {
    return Status::IOError("cannot create ", path.parent_path().string(), ": ", error.message());
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? Status::OK() : Status::IOError("cannot write ", path.string());
}

}  // namespace

Parts ReadParts(const Config& config) {
  Parts parts;
  parts.emplace(kSettingsPart, SettingsText(config));
  parts.emplace(kRegistryPart, ExportRegistry(config.registry));
  parts.emplace(kTopicsPart, TopicsText(config.kafka));
  parts.emplace("rules.yaml", ReadFile(config.refine.rules));
  parts.emplace("rates.csv", ReadFile(config.refine.rates));
  parts.emplace("categories.yaml", ReadFile(config.refine.categories));
  parts.emplace(kAclsPart, AclsText(config.kafka));
  AddSql(config.refine.sql_folder, &parts);
  return parts;
}

Result<std::string> ReadPart(lake::ObjectStore* place, const Manifest& manifest,
                             const std::string& name) {
  if (const auto missing = manifest.parts_missing.find(name);
      missing != manifest.parts_missing.end()) {
    return Gone("the backup ", manifest.id, " has no ", name, ": ", missing->second);
  }
  const auto part = manifest.parts.find(name);
  if (part == manifest.parts.end()) return Gone("the backup ", manifest.id, " has no ", name);
  ARROW_ASSIGN_OR_RAISE(const auto text, place->Get(part->second.path));
  if (text == nullptr || FormatHex(Sha256(std::string_view(*text))) != part->second.sha256) {
    return Corrupt(part->second.path, " in ", place->Describe(), " is ",
                   text == nullptr ? "missing" : "damaged: its SHA-256 differs",
                   "; restore this part from another backup");
  }
  return text->ToString();
}

Result<std::vector<std::string>> RestoreTopics(const KafkaConfig& config, const std::string& part) {
  const json topics = ParseJson(part);
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config));
  std::vector<std::string> changes;
  try {
    for (const json& topic : topics) {
      kafka::TopicSettings wanted;
      wanted.name = topic.at("name").get<std::string>();
      wanted.partitions = topic.at("partitions").get<int>();
      wanted.replication_factor = topic.at("replication_factor").get<int>();
      wanted.configs = topic.at("configs").get<std::map<std::string, std::string>>();
      ARROW_ASSIGN_OR_RAISE(const auto made, kafka::SetUpTopic(*admin, wanted));
      for (const std::string& change : made) changes.push_back(wanted.name + ": " + change);
    }
  } catch (const json::exception& e) {
    return Corrupt("the topics of the backup are not understood (", e.what(), ")");
  }
  return changes;
}

Result<std::vector<RestoredAcl>> RestoreAcls(const KafkaConfig& config, const std::string& part,
                                             bool dry_run) {
  const json document = ParseJson(part);
  std::vector<kafka::AclBinding> wanted;
  try {
    for (const json& acl : document.at("acls")) {
      wanted.push_back({.principal = acl.at("principal").get<std::string>(),
                        .permission = acl.at("permission").get<std::string>(),
                        .operation = acl.at("operation").get<std::string>(),
                        .resource = acl.at("resource").get<std::string>(),
                        .name = acl.at("name").get<std::string>(),
                        .pattern = acl.at("pattern").get<std::string>(),
                        .host = acl.at("host").get<std::string>()});
    }
  } catch (const json::exception& e) {
    return Corrupt("the ACLs of the backup are not understood (", e.what(), ")");
  }
  std::vector<RestoredAcl> restored;
  if (wanted.empty()) return restored;
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::AclAdmin::Open(config));
  ARROW_ASSIGN_OR_RAISE(const auto known, admin->AllAcls());
  if (!known) {
    return Status::Invalid("the brokers at ", config.bootstrap_servers,
                           " have no authorizer, so ACLs have no meaning there: set "
                           "authorizer.class.name first");
  }
  std::vector<kafka::AclBinding> missing;
  for (const kafka::AclBinding& acl : wanted) {
    const bool is_new = !known->contains(acl);
    restored.push_back({kafka::TextOf(acl), is_new});
    if (is_new) missing.push_back(acl);
  }
  if (!dry_run) ARROW_RETURN_NOT_OK(admin->CreateBindings(missing));
  return restored;
}

Result<std::vector<std::string>> RestoreFiles(lake::ObjectStore* place, const Manifest& manifest,
                                              const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return Status::Invalid(folder, " is not empty: name a new folder");
  }
  std::vector<std::string> names;
  std::map<fs::path, std::string> texts;
  for (const auto& [name, part] : manifest.parts) {
    if (!IsFileOfPipeline(name)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto path, TargetOf(folder, name));
    ARROW_ASSIGN_OR_RAISE(texts[path], ReadPart(place, manifest, name));
    names.push_back(name);
  }
  for (const auto& [name, reason] : manifest.parts_missing) {
    if (IsFileOfPipeline(name)) {
      Log::Warn("the backup {} has no {}: {}", manifest.id, name, reason);
    }
  }
  for (const auto& [path, text] : texts) ARROW_RETURN_NOT_OK(WriteNewFile(path, text));
  return names;
}

}  // namespace shopstream::backup
