#include "base/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "base/join.h"
#include "base/listen_address.h"
#include "base/nearest_name.h"

namespace shopstream {
namespace {

// The settings. Only this table knows them: parsing, checks, help and the names of the environment
// variables come from it.

enum class TextForm { kAny, kRequired, kListen, kListenOrOff, kHttpUrl, kHttpUrlOrNone, kTable };

struct TextField {
  std::string& (*in)(Config&);
  TextForm form = TextForm::kRequired;
};

struct NumberField {
  int64_t& (*in)(Config&);
  int64_t least, most;
};

// Separated by commas, or a list in the file. Empty: no values.
struct ListField {
  std::vector<std::string>& (*in)(Config&);
};

struct SwitchField {
  bool& (*in)(Config&);
};

using Field = std::variant<TextField, NumberField, ListField, SwitchField>;

struct Setting {
  const char* key;
  Field field;
  const char* meaning;
};

#define SHOPSTREAM_FIELD(member) [](Config& config) -> auto& { return config.member; }

const Setting kSettings[] = {
    {"kafka.bootstrap_servers", TextField{SHOPSTREAM_FIELD(kafka.bootstrap_servers)},
     "initial brokers as host:port, separated by commas"},
    {"kafka.topic", TextField{SHOPSTREAM_FIELD(kafka.topic)},
     "topic to produce to and ingest from"},
    {"kafka.group", TextField{SHOPSTREAM_FIELD(kafka.group)}, "consumer group of ingest"},
    {"kafka.group_instance_id",
     TextField{SHOPSTREAM_FIELD(kafka.group_instance_id), TextForm::kAny},
     "name for static group membership, unique in the group; empty: dynamic"},
    {"registry.url", TextField{SHOPSTREAM_FIELD(registry.url), TextForm::kHttpUrl},
     "URL of the schema registry to use"},
    {"registry.listen", TextField{SHOPSTREAM_FIELD(registry.listen), TextForm::kListen},
     "address on which `shopstream registry` listens"},
    {"registry.username", TextField{SHOPSTREAM_FIELD(registry.username), TextForm::kAny},
     "user for the registry's basic authentication; a user in the URL takes precedence"},
    {"registry.password", TextField{SHOPSTREAM_FIELD(registry.password), TextForm::kAny},
     "password of registry.username"},
    {"registry.ca_file", TextField{SHOPSTREAM_FIELD(registry.ca_file), TextForm::kAny},
     "PEM file of the CA that signed the registry's certificate; empty: the system's CAs"},
    {"registry.tls.certificate",
     TextField{SHOPSTREAM_FIELD(registry.tls_certificate), TextForm::kAny},
     "PEM file with which `shopstream registry` serves HTTPS; empty: HTTP"},
    {"registry.tls.key", TextField{SHOPSTREAM_FIELD(registry.tls_key), TextForm::kAny},
     "PEM file of the certificate's private key"},
    {"registry.users", TextField{SHOPSTREAM_FIELD(registry.users), TextForm::kAny},
     "file of lines name:hash:reader|writer for `shopstream registry`; empty: no authentication"},
    {"lake.uri", TextField{SHOPSTREAM_FIELD(lake.uri)},
     "the lake's root: a path, file:///..., s3://bucket/prefix, or s3:// for one bucket per table"},
    {"lake.bronze_table", TextField{SHOPSTREAM_FIELD(lake.bronze_table), TextForm::kTable},
     "table of decoded records; a path below the root"},
    {"lake.quarantine_table", TextField{SHOPSTREAM_FIELD(lake.quarantine_table), TextForm::kTable},
     "table of undecodable records; each topic needs its own"},
    {"s3.endpoint", TextField{SHOPSTREAM_FIELD(s3.endpoint), TextForm::kHttpUrlOrNone},
     "an S3 service other than AWS, e.g. http://127.0.0.1:9000; empty: AWS"},
    {"s3.region", TextField{SHOPSTREAM_FIELD(s3.region)}, "S3 region"},
    {"s3.access_key", TextField{SHOPSTREAM_FIELD(s3.access_key), TextForm::kAny},
     "S3 access key; empty: the standard AWS environment and profile chain"},
    {"s3.secret_key", TextField{SHOPSTREAM_FIELD(s3.secret_key), TextForm::kAny},
     "secret key of s3.access_key"},
    {"s3.session_token", TextField{SHOPSTREAM_FIELD(s3.session_token), TextForm::kAny},
     "session token of s3.access_key, if that is temporary"},
    {"s3.ca_file", TextField{SHOPSTREAM_FIELD(s3.ca_file), TextForm::kAny},
     "PEM file of the CAs to trust instead of the system's, for https:// endpoints"},
    // The upper bound keeps row indexes in int32, far above any sensible file.
    {"ingest.batch_size", NumberField{SHOPSTREAM_FIELD(ingest.batch_size), 1, 100'000'000},
     "commit once any region has this many rows"},
    {"ingest.batch_timeout_seconds",
     NumberField{SHOPSTREAM_FIELD(ingest.batch_timeout_seconds), 1, 86'400},
     "longest time that a buffered row waits for its cut"},
    {"ingest.commit_interval_ms",
     NumberField{SHOPSTREAM_FIELD(ingest.commit_interval_ms), 0, 3'600'000},
     "shortest time between cuts that are made because of ingest.batch_size"},
    // Below 16 MiB a cut would get less than 4 MiB, while one record may take 8.
    {"ingest.memory_limit_mb", NumberField{SHOPSTREAM_FIELD(ingest.memory_limit_mb), 16, 1'048'576},
     "MiB for the filling cut, the cuts in flight and the client's queue together"},
    {"ingest.partition_field", TextField{SHOPSTREAM_FIELD(ingest.partition_field)},
     "string field of the record that is Bronze's first partition column"},
    {"ingest.partition_values", ListField{SHOPSTREAM_FIELD(ingest.partition_values)},
     "allowed values of that field, separated by commas; others are quarantined; empty: any value"},
    // Each open value costs a file in every cut, and a permanent folder.
    {"ingest.max_partition_values",
     NumberField{SHOPSTREAM_FIELD(ingest.max_partition_values), 1, 10'000},
     "maximum number of distinct values if any is allowed; records beyond it are quarantined"},
    // For each partition, a cut holds a writer, and storage a request.
    {"ingest.max_open_partitions",
     NumberField{SHOPSTREAM_FIELD(ingest.max_open_partitions), 1, 10'000},
     "maximum number of partitions that one cut, or one commit of `quarantine replay`, writes to; "
     "reaching it makes a cut"},
    {"ingest.event_time_field", TextField{SHOPSTREAM_FIELD(ingest.event_time_field)},
     "timestamp field of the record whose UTC date is Bronze's second partition column"},
    {"ingest.maintenance", SwitchField{SHOPSTREAM_FIELD(ingest.maintenance)},
     "true: ingest also compacts and vacuums the tables it fills; false: only `table optimize` "
     "and `table vacuum` do"},
    {"metrics.listen", TextField{SHOPSTREAM_FIELD(metrics.listen), TextForm::kListenOrOff},
     "address on which Prometheus metrics are served; empty: off; if taken, the next free port up "
     "to 15 higher"},
};

#undef SHOPSTREAM_FIELD

// The free-form map: its keys are librdkafka's, which checks them.
constexpr std::string_view kSecurityPrefix = "kafka.security.";
constexpr const char* kSecurityMeaning =
    "any librdkafka property, e.g. kafka.security.security.protocol=SASL_SSL";

constexpr std::string_view kEnvironmentPrefix = "SHOPSTREAM_";

// One value to be set in the configuration, and its source for messages.
struct Assignment {
  std::string key, value, source;
  bool in_file = false;
};

std::vector<std::string> KnownKeys() {
  std::vector<std::string> keys;
  for (const Setting& setting : kSettings) keys.emplace_back(setting.key);
  return keys;
}

const Setting* FindSetting(const std::string& key) {
  for (const Setting& setting : kSettings) {
    if (key == setting.key) return &setting;
  }
  return nullptr;
}

// "kafka.bootstrap_servers" -> "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS"
std::string EnvironmentName(std::string_view key) {
  std::string name(kEnvironmentPrefix);
  for (char c : key) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Status CheckUrl(const std::string& value) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (value.starts_with(scheme) && value.size() > scheme.size()) return Status::OK();
  }
  return Status::Invalid("'", value, "' is not a URL: write http://host:port or https://host:port");
}

// A path of folders that every store accepts and no reader hides: none begins with '.' or '_'.
Status CheckTableName(const std::string& value) {
  bool fine = !value.empty();
  char before = '/';
  for (const char c : value + '/') {
    const bool begins = before == '/';
    const bool alphanumeric = std::isalnum(static_cast<unsigned char>(c)) != 0;
    fine = fine && (alphanumeric ||
                    (!begins && std::string_view("-_./").find(c) != std::string_view::npos));
    before = c;
  }
  if (fine) return Status::OK();
  return Status::Invalid("'", value, "' is not a table's name: write folders of letters, digits, ",
                         "'-', '_' and '.', with '/' between them");
}

Status CheckText(TextForm form, const std::string& value) {
  switch (form) {
    case TextForm::kAny:
      return Status::OK();
    case TextForm::kRequired:
      return value.empty() ? Status::Invalid("must not be empty") : Status::OK();
    case TextForm::kTable:
      return CheckTableName(value);
    case TextForm::kListenOrOff:
      if (value.empty()) return Status::OK();
      [[fallthrough]];
    case TextForm::kListen:
      return ParseListenAddress(value).status();
    case TextForm::kHttpUrlOrNone:
      if (value.empty()) return Status::OK();
      [[fallthrough]];
    case TextForm::kHttpUrl:
      return CheckUrl(value);
  }
  return Status::UnknownError("text form");
}

Status Set(const TextField& field, const std::string& value, Config* config) {
  ARROW_RETURN_NOT_OK(CheckText(field.form, value));
  field.in(*config) = value;
  return Status::OK();
}

Status Set(const NumberField& field, const std::string& value, Config* config) {
  int64_t number = 0;
  const char* last = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), last, number);
  if (error == std::errc::invalid_argument || end != last) {
    return Status::Invalid("'", value, "' is not a whole number");
  }
  if (error != std::errc() || number < field.least || number > field.most) {
    return Status::Invalid(value, " is out of bounds: ", field.least, " to ", field.most);
  }
  field.in(*config) = number;
  return Status::OK();
}

Status Set(const ListField& field, const std::string& value, Config* config) {
  std::vector<std::string> items;
  for (size_t begin = 0; begin <= value.size() && !value.empty();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    items.push_back(value.substr(begin, end - begin));
    if (items.back().empty()) return Status::Invalid("a value of the list '", value, "' is empty");
    if (std::ranges::count(items, items.back()) > 1) {
      return Status::Invalid("'", items.back(), "' occurs twice in the list");
    }
    begin = end + 1;
  }
  field.in(*config) = std::move(items);
  return Status::OK();
}

Status Set(const SwitchField& field, const std::string& value, Config* config) {
  if (value != "true" && value != "false") {
    return Status::Invalid("'", value, "' is neither true nor false");
  }
  field.in(*config) = value == "true";
  return Status::OK();
}

bool IsIn(const std::string& section, const Setting& setting) {
  return std::string_view(setting.key).starts_with(section + ".");
}

bool IsSection(const std::string& key) {
  return key + "." == kSecurityPrefix ||
         std::ranges::any_of(kSettings, [&](const Setting& one) { return IsIn(key, one); });
}

// An example setting of a section.
std::string ExampleIn(const std::string& section) {
  if (section == "kafka") return "kafka.topic";
  const Setting* const first =
      std::ranges::find_if(kSettings, [&](const Setting& one) { return IsIn(section, one); });
  return first == std::end(kSettings) ? section + ".sasl.username" : first->key;
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

Status Apply(const Assignment& assignment, Config* config) {
  if (assignment.key.starts_with(kSecurityPrefix)) {
    config->kafka.security[assignment.key.substr(kSecurityPrefix.size())] = assignment.value;
    return Status::OK();
  }
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
  const Status status = std::visit(
      [&](const auto& field) { return Set(field, assignment.value, config); }, setting->field);
  if (status.ok()) return status;
  return Status::Invalid(assignment.source, ": ", assignment.key, ": ", status.message(), " (",
                         setting->meaning, ")");
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
  if (node.IsSequence() && setting != nullptr &&
      std::holds_alternative<ListField>(setting->field)) {
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
  return Status::OK();
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
  return key;
}

// SHOPSTREAM_KAFKA -> kafka.
std::optional<std::string> SectionNamed(const std::string& name) {
  if (name + "_" == EnvironmentName(kSecurityPrefix)) return "kafka.security";
  for (const Setting& setting : kSettings) {
    const std::string_view key = setting.key;
    const std::string_view section = key.substr(0, key.find('.'));
    if (name == EnvironmentName(section)) return std::string(section);
  }
  return std::nullopt;
}

// Other tools may use SHOPSTREAM_ variables too; only one in a known section is a mistake.
bool InKnownSection(const std::string& name) {
  return std::any_of(std::begin(kSettings), std::end(kSettings), [&](const Setting& setting) {
    const std::string_view key = setting.key;
    return name.starts_with(EnvironmentName(key.substr(0, key.find('.') + 1)));
  });
}

Result<std::vector<Assignment>> ReadEnvironment(const ConfigSources& sources) {
  std::map<std::string, std::string> keys;
  for (const Setting& setting : kSettings) keys[EnvironmentName(setting.key)] = setting.key;
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

Result<std::vector<Assignment>> ReadOverrides(const ConfigSources& sources) {
  std::vector<Assignment> assignments;
  for (const std::string& text : sources.overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status::Invalid("--set ", text, ": write --set key=value");
    }
    assignments.push_back({text.substr(0, equals), text.substr(equals + 1), "--set"});
  }
  return assignments;
}

}  // namespace

Result<Config> LoadConfig(const ConfigSources& sources) {
  Config config;
  if (!sources.file.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto from_file, ReadFile(sources));
    for (const Assignment& a : from_file) ARROW_RETURN_NOT_OK(Apply(a, &config));
  }
  ARROW_ASSIGN_OR_RAISE(const auto from_environment, ReadEnvironment(sources));
  for (const Assignment& a : from_environment) ARROW_RETURN_NOT_OK(Apply(a, &config));
  ARROW_ASSIGN_OR_RAISE(const auto from_overrides, ReadOverrides(sources));
  for (const Assignment& a : from_overrides) ARROW_RETURN_NOT_OK(Apply(a, &config));
  ARROW_RETURN_NOT_OK(CheckTogether(config));
  return config;
}

std::vector<SettingHelp> ListSettings() {
  Config defaults;
  std::vector<SettingHelp> help;
  for (const Setting& setting : kSettings) {
    if (const auto* text = std::get_if<TextField>(&setting.field)) {
      help.push_back({setting.key, text->in(defaults), setting.meaning});
    } else if (const auto* number = std::get_if<NumberField>(&setting.field)) {
      help.push_back({setting.key, std::to_string(number->in(defaults)), setting.meaning});
    } else if (const auto* list = std::get_if<ListField>(&setting.field)) {
      help.push_back({setting.key, Joined(list->in(defaults), ","), setting.meaning});
    } else if (const auto* on = std::get_if<SwitchField>(&setting.field)) {
      help.push_back({setting.key, on->in(defaults) ? "true" : "false", setting.meaning});
    }
  }
  help.push_back({std::string(kSecurityPrefix) + "*", "", kSecurityMeaning});
  return help;
}

}  // namespace shopstream
