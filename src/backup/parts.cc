#include "backup/parts.h"

#include <utility>

#include "backup/registry_copy.h"
#include "base/config_settings.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/read_file.h"
#include "base/secrets.h"
#include "base/sha256.h"
#include "kafka/admin.h"
#include "kafka/topic_plan.h"

namespace shopstream::backup {
namespace {

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

}  // namespace

Parts ReadParts(const Config& config) {
  Parts parts;
  parts.emplace(kSettingsPart, SettingsText(config));
  parts.emplace(kRegistryPart, ExportRegistry(config.registry));
  parts.emplace(kTopicsPart, TopicsText(config.kafka));
  parts.emplace("rules.yaml", ReadFile(config.refine.rules));
  parts.emplace("rates.csv", ReadFile(config.refine.rates));
  parts.emplace("categories.yaml", ReadFile(config.refine.categories));
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

}  // namespace shopstream::backup
