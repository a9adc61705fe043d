#include "base/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

#include "base/config_settings.h"
#include "base/join.h"
#include "base/nearest_name.h"
#include "base/secret_files.h"

namespace shopstream {
namespace {

// The free-form map: its keys are librdkafka's, which checks them.
constexpr std::string_view kSecurityPrefix = "kafka.security.";
constexpr const char* kSecurityMeaning =
    "any librdkafka property, e.g. kafka.security.security.protocol=SASL_SSL; for a secret, "
    "NAME_file "
    "is a file with its value";

// One value to be set in the configuration, and its source for messages.
struct Assignment {
  std::string key, value, source;
  bool in_file = false;
};

std::vector<std::string> KnownKeys() {
  std::vector<std::string> keys;
  for (const Setting& setting : AllSettings()) keys.emplace_back(setting.key);
  return keys;
}

bool IsIn(const std::string& section, const Setting& setting) {
  return std::string_view(setting.key).starts_with(section + ".");
}

bool IsSection(const std::string& key) {
  return key + "." == kSecurityPrefix ||
         std::ranges::any_of(AllSettings(), [&](const Setting& one) { return IsIn(key, one); });
}

// An example setting of a section.
std::string ExampleIn(const std::string& section) {
  if (section == "kafka") return "kafka.topic";
  const auto settings = AllSettings();
  const auto first =
      std::ranges::find_if(settings, [&](const Setting& one) { return IsIn(section, one); });
  return first == settings.end() ? section + ".sasl.username" : first->key;
}

Status RefuseSection(const Assignment& assignment) {
  const std::string& section = assignment.key;
  const std::string example = ExampleIn(section);
  if (!assignment.in_file) {
    return Status::Invalid(assignment.source, ": '", section,
                           "' is a section: name a setting of it, such as ", example);
  }
  return Status::Invalid(assignment.source, ": '", section,
                         "' is a section: write its settings below it, indented, such as `",
                         example.substr(section.size() + 1), ": ...`");
}

Status ApplySecurity(const Assignment& assignment, Config* config) {
  std::string name = assignment.key.substr(kSecurityPrefix.size());
  if (!IsSecretFileKey(assignment.key)) {
    config->kafka.security[name] = assignment.value;
    return Status::OK();
  }
  if (assignment.value.empty()) return Status::OK();
  const auto secret = ReadSecretFile(assignment.value);
  if (!secret.ok()) {
    return Status::Invalid(assignment.source, ": ", assignment.key, ": ",
                           secret.status().message());
  }
  name.resize(name.size() - kSecretFileSuffix.size());
  config->kafka.security[name] = *secret;
  return Status::OK();
}

Status Apply(const Assignment& assignment, Config* config) {
  if (assignment.key.starts_with(kSecurityPrefix)) return ApplySecurity(assignment, config);
  const Setting* setting = FindSetting(assignment.key);
  if (setting == nullptr && IsSection(assignment.key)) {
    return RefuseSection(assignment);
  }
  if (assignment.key.empty()) {
    return Status::Invalid(assignment.source,
                           ": expected sections such as `kafka:`, each with its settings below it");
  }
  // It never had an effect; files of earlier versions contain it.
  if (setting == nullptr && assignment.key == "console.listen") return Status::OK();
  if (setting == nullptr) {
    return Status::Invalid(assignment.source, ": unknown setting '", assignment.key, "'",
                           DidYouMean(assignment.key, KnownKeys()));
  }
  const Status status = SetSetting(*setting, assignment.value, config);
  if (status.ok()) return status;
  return Status::Invalid(assignment.source, ": ", assignment.key, ": ", status.message(), " (",
                         setting->meaning, ")");
}

// A secret comes from the source that is applied last, as a value or from a file. Within a source,
// neither is the later one.
Status RefuseTwoSources(const std::vector<Assignment>& assignments) {
  std::set<std::string> given;
  for (const Assignment& assignment : assignments) {
    if (assignment.value.empty()) continue;
    const std::string other = OtherSourceOfSecret(assignment.key);
    if (given.contains(other)) {
      return Status::Invalid(assignment.source, ": both ", other, " and ", assignment.key,
                             " are set: leave one out");
    }
    given.insert(assignment.key);
  }
  return Status::OK();
}

// Applies one source: the file, the environment or the command line. Allowed values belong to their
// field: if only the field changes, those of an earlier source are dropped.
Status ApplySource(const std::vector<Assignment>& assignments, Config* config) {
  const std::vector<std::string> field = config->ingest.partition_field;
  ARROW_RETURN_NOT_OK(RefuseTwoSources(assignments));
  for (const Assignment& assignment : assignments) ARROW_RETURN_NOT_OK(Apply(assignment, config));
  const bool sets_values = std::ranges::any_of(assignments, [](const Assignment& assignment) {
    return assignment.key == "ingest.partition_values";
  });
  if (config->ingest.partition_field != field && !sets_values) {
    config->ingest.partition_values.clear();
  }
  return Status::OK();
}

// --- The file.

std::string Place(const std::string& file, const YAML::Node& node) {
  return file + ":" + std::to_string(node.Mark().line + 1);
}

// Nested maps become dotted keys: {kafka: {topic: x}} -> kafka.topic=x.
Status Flatten(const std::string& file, const YAML::Node& node, const std::string& key,
               std::vector<Assignment>* out) {
  if (node.IsScalar() || (node.IsNull() && FindSetting(key) != nullptr)) {
    out->push_back({key, node.IsNull() ? "" : node.Scalar(), Place(file, node), /*in_file=*/true});
    return Status::OK();
  }
  const Setting* setting = FindSetting(key);
  if (node.IsSequence() && setting != nullptr && setting->is_list()) {
    std::vector<std::string> items;
    for (const auto& item : node) items.push_back(item.IsScalar() ? item.Scalar() : "");
    out->push_back({key, Joined(items, ","), Place(file, node), /*in_file=*/true});
    return Status::OK();
  }
  if (node.IsNull()) return Status::OK();  // A section with all its lines commented out.
  if (!node.IsMap()) {
    return Status::Invalid(Place(file, node), ": ", key.empty() ? "the file" : key,
                           " must be a value or a map, not a list");
  }
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return Status::Invalid(Place(file, entry.first), ": bad key");
    const std::string name = key.empty() ? entry.first.Scalar() : key + "." + entry.first.Scalar();
    ARROW_RETURN_NOT_OK(Flatten(file, entry.second, name, out));
  }
  return Status::OK();
}

bool BeginsWithTab(const std::string& path, int line) {
  std::ifstream file(path);
  std::string text;
  for (int i = 0; i <= line && std::getline(file, text); ++i) {
  }
  return text.starts_with('\t');
}

// Settings that exclude each other.
Status CheckTogether(const Config& config) {
  if (config.lake.bronze_table == config.lake.quarantine_table) {
    return Status::Invalid("lake.bronze_table and lake.quarantine_table are both '",
                           config.lake.bronze_table, "': give each its own table");
  }
  const IngestConfig& ingest = config.ingest;
  if (!ingest.partition_values.empty() && ingest.partition_field.size() != 1) {
    return Status::Invalid(
        "ingest.partition_values lists the allowed values of one partition field, and "
        "ingest.partition_field names ",
        ingest.partition_field.size(), ": leave ingest.partition_values empty");
  }
  if (ingest.event_time_field.empty() && !ingest.event_time_unit.empty()) {
    return Status::Invalid(
        "ingest.event_time_unit is the unit of a field, and ingest.event_time_field is empty: "
        "leave both empty to use Kafka's timestamp");
  }
  return Status::OK();
}

// Relative paths of a checkout's file count from the checkout, as in CountPathsFromCheckout.
void CountSecretFiles(const ConfigSources& sources, std::vector<Assignment>* assignments) {
  const std::filesystem::path file = sources.file;
  if (sources.file_required || file.is_relative()) return;
  for (Assignment& assignment : *assignments) {
    if (assignment.value.empty() || !IsSecretFileKey(assignment.key)) continue;
    assignment.value = file.parent_path().parent_path() / assignment.value;
  }
}

Result<std::vector<Assignment>> ReadFile(const ConfigSources& sources) {
  std::vector<Assignment> assignments;
  std::error_code error;
  if (!std::filesystem::exists(sources.file, error)) {
    if (!sources.file_required) return assignments;
    return Status::Invalid(sources.file, ": no such configuration file");
  }
  if (std::filesystem::is_directory(sources.file, error)) {
    return Status::Invalid(sources.file, ": this is a folder; name a configuration file in it");
  }
  try {
    ARROW_RETURN_NOT_OK(Flatten(sources.file, YAML::LoadFile(sources.file), "", &assignments));
  } catch (const YAML::BadFile&) {
    return Status::Invalid(sources.file, ": the configuration file cannot be read");
  } catch (const YAML::Exception& e) {
    return Status::Invalid(sources.file, ":", e.mark.line + 1, ": not valid YAML: ", e.msg,
                           BeginsWithTab(sources.file, e.mark.line)
                               ? " (the line begins with a tab: indent with spaces)"
                               : "");
  } catch (const std::exception& e) {  // An unreadable file must not crash the program.
    return Status::Invalid(sources.file, ": cannot be read: ", e.what());
  }
  std::set<std::string> seen;
  for (const Assignment& assignment : assignments) {
    if (seen.insert(assignment.key).second) continue;
    return Status::Invalid(assignment.source, ": ", assignment.key, " is set a second time");
  }
  return assignments;
}

// --- The environment and the command line.

// SHOPSTREAM_KAFKA_SECURITY_SASL_USERNAME -> kafka.security.sasl.username: librdkafka's names have
// dots, but a shell's can only have underscores.
std::optional<std::string> SecurityKey(const std::string& name) {
  const std::string prefix = EnvironmentName(kSecurityPrefix);
  if (!name.starts_with(prefix) || name.size() == prefix.size()) return std::nullopt;
  std::string key(kSecurityPrefix);
  for (char c : name.substr(prefix.size())) {
    key += c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  // SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD_FILE is our own kafka.security.sasl.password_file.
  constexpr std::string_view kFile = ".file";
  if (!key.ends_with(kFile)) return key;
  std::string file = key.substr(0, key.size() - kFile.size()).append(kSecretFileSuffix);
  return IsSecretFileKey(file) ? file : key;
}

// SHOPSTREAM_KAFKA -> kafka.
std::optional<std::string> SectionNamed(const std::string& name) {
  if (name + "_" == EnvironmentName(kSecurityPrefix)) return "kafka.security";
  for (const Setting& setting : AllSettings()) {
    const std::string_view key = setting.key;
    const std::string_view section = key.substr(0, key.find('.'));
    if (name == EnvironmentName(section)) return std::string(section);
  }
  return std::nullopt;
}

// Other tools may use SHOPSTREAM_ variables too; only one in a known section is a mistake.
bool InKnownSection(const std::string& name) {
  return std::ranges::any_of(AllSettings(), [&](const Setting& setting) {
    const std::string_view key = setting.key;
    return name.starts_with(EnvironmentName(key.substr(0, key.find('.') + 1)));
  });
}

Result<std::vector<Assignment>> ReadEnvironment(const ConfigSources& sources) {
  std::map<std::string, std::string> keys;
  for (const Setting& setting : AllSettings()) keys[EnvironmentName(setting.key)] = setting.key;
  std::vector<Assignment> assignments;
  for (const auto& [name, value] : sources.environment) {
    if (const auto found = keys.find(name); found != keys.end()) {
      assignments.push_back({found->second, value, "environment variable " + name});
    } else if (const auto security = SecurityKey(name)) {
      assignments.push_back({*security, value, "environment variable " + name});
    } else if (const auto section = SectionNamed(name)) {
      return RefuseSection({*section, value, "environment variable " + name});
    } else if (InKnownSection(name)) {
      std::vector<std::string> names;
      for (const auto& entry : keys) names.push_back(entry.first);
      return Status::Invalid("environment variable ", name, ": no such setting",
                             DidYouMean(name, names));
    }
  }
  return assignments;
}

constexpr const char* kKeyCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

Result<std::vector<Assignment>> ReadOverrides(const ConfigSources& sources) {
  std::vector<Assignment> assignments;
  for (const std::string& text : sources.overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      // The rest of the text may be a password.
      const std::string key = text.substr(0, text.find_first_not_of(kKeyCharacters));
      return Status::Invalid("--set ", key, key == text ? "" : "...", ": write --set key=value");
    }
    assignments.push_back({text.substr(0, equals), text.substr(equals + 1), "--set"});
  }
  return assignments;
}

}  // namespace

Result<Config> LoadConfig(const ConfigSources& sources) {
  Config config;
  if (!sources.file.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto from_file, ReadFile(sources));
    CountSecretFiles(sources, &from_file);
    ARROW_RETURN_NOT_OK(ApplySource(from_file, &config));
  }
  ARROW_ASSIGN_OR_RAISE(const auto from_environment, ReadEnvironment(sources));
  ARROW_RETURN_NOT_OK(ApplySource(from_environment, &config));
  ARROW_ASSIGN_OR_RAISE(const auto from_overrides, ReadOverrides(sources));
  ARROW_RETURN_NOT_OK(ApplySource(from_overrides, &config));
  ARROW_RETURN_NOT_OK(CheckTogether(config));
  return config;
}

std::vector<SettingHelp> ListSettings() {
  Config defaults;
  std::vector<SettingHelp> help;
  for (const Setting& setting : AllSettings()) {
    help.push_back({setting.key, SettingText(setting, defaults), setting.meaning});
  }
  help.push_back({std::string(kSecurityPrefix) + "*", "", kSecurityMeaning});
  return help;
}

}  // namespace shopstream
