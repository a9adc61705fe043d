#include "base/config_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/format.h"
#include "base/join.h"
#include "base/listen_address.h"
#include "base/nearest_name.h"
#include "base/secret_files.h"
#include "base/secrets.h"
#include "base/timestamp.h"

namespace shopstream {
namespace {

constexpr int64_t kMillisOfDay = 86'400'000;
constexpr size_t kDateLength = 10;

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
    {"registry.subject", TextField{SHOPSTREAM_FIELD(registry.subject), TextForm::kAny},
     "subject of the topic's schemas; empty: by registry.subject_strategy"},
    {"registry.subject_strategy",
     ChoiceField{SHOPSTREAM_FIELD(registry.subject_strategy), {"topic", "record", "topic_record"}},
     "names the subject: topic is <topic>-value, record the record's full name, topic_record "
     "<topic>-<record's full name>"},
    {"registry.listen", TextField{SHOPSTREAM_FIELD(registry.listen), TextForm::kListen},
     "address on which `shopstream registry` listens"},
    {"registry.username", TextField{SHOPSTREAM_FIELD(registry.username), TextForm::kAny},
     "user for the registry's basic authentication; a user in the URL takes precedence"},
    {"registry.password", TextField{SHOPSTREAM_FIELD(registry.password), TextForm::kAny},
     "password of registry.username"},
    {"registry.password_file", SecretFileField{SHOPSTREAM_FIELD(registry.password)},
     "file with registry.password"},
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
    {"s3.access_key_file", SecretFileField{SHOPSTREAM_FIELD(s3.access_key)},
     "file with s3.access_key"},
    {"s3.secret_key_file", SecretFileField{SHOPSTREAM_FIELD(s3.secret_key)},
     "file with s3.secret_key"},
    {"s3.session_token_file", SecretFileField{SHOPSTREAM_FIELD(s3.session_token)},
     "file with s3.session_token"},
    {"s3.ca_file", TextField{SHOPSTREAM_FIELD(s3.ca_file), TextForm::kAny},
     "PEM file of the CAs to trust instead of the system's, for https:// endpoints"},
    // The upper bound keeps row indexes in int32, far above any sensible file.
    {"ingest.batch_size", NumberField{SHOPSTREAM_FIELD(ingest.batch_size), 1, 100'000'000},
     "commit once this many rows have the same partition values"},
    {"ingest.batch_timeout_seconds",
     NumberField{SHOPSTREAM_FIELD(ingest.batch_timeout_seconds), 1, 86'400},
     "longest time that a buffered row waits for its cut"},
    {"ingest.commit_interval_ms",
     NumberField{SHOPSTREAM_FIELD(ingest.commit_interval_ms), 0, 3'600'000},
     "shortest time between cuts that are made because of ingest.batch_size"},
    // Below 16 MiB a cut would get less than 4 MiB, while one record may take 8.
    {"ingest.memory_limit_mb", NumberField{SHOPSTREAM_FIELD(ingest.memory_limit_mb), 16, 1'048'576},
     "MiB for the filling cut, the cuts in flight and the client's queue together"},
    {"ingest.partition_field",
     ListField{SHOPSTREAM_FIELD(ingest.partition_field), ListForm::kPaths},
     "fields of the record by which Bronze is partitioned before the date, separated by commas; a "
     "nested one as a.b; empty: by date only"},
    {"ingest.partition_values", ListField{SHOPSTREAM_FIELD(ingest.partition_values)},
     "allowed values of a single partition field, separated by commas; others are quarantined; "
     "empty: any value"},
    // Each open value costs a file in every cut, and a permanent folder.
    {"ingest.max_partition_values",
     NumberField{SHOPSTREAM_FIELD(ingest.max_partition_values), 1, 10'000},
     "maximum number of distinct values if any is allowed; records beyond it are quarantined"},
    // For each partition, a cut holds a writer, and storage a request.
    {"ingest.max_open_partitions",
     NumberField{SHOPSTREAM_FIELD(ingest.max_open_partitions), 1, 10'000},
     "maximum number of partitions that one cut, or one commit of `quarantine replay`, writes to; "
     "reaching it makes a cut"},
    {"ingest.event_time_field",
     TextField{SHOPSTREAM_FIELD(ingest.event_time_field), TextForm::kPathOrNone},
     "field of the record whose UTC date fills Bronze's partition column \"date\"; write a nested "
     "field as a.b; empty: Kafka's timestamp"},
    {"ingest.event_time_unit",
     ChoiceField{SHOPSTREAM_FIELD(ingest.event_time_unit), {"", "d", "s", "ms", "us", "ns"}},
     "unit of a plain int or long: d, s, ms, us or ns; leave it empty for any other type"},
    {"ingest.event_time_earliest", DateField{SHOPSTREAM_FIELD(ingest.event_time_earliest)},
     "records with an earlier event time are quarantined; a date"},
    {"ingest.event_time_ahead_hours",
     NumberField{SHOPSTREAM_FIELD(ingest.event_time_ahead_hours), 0, 87'600},
     "records whose event time is further ahead of Kafka's timestamp are quarantined"},
    {"ingest.wide_decimals",
     ListField{SHOPSTREAM_FIELD(ingest.wide_decimals), ListForm::kWideDecimals},
     "columns of decimals of more than 38 digits as PATH=text, PATH=double or PATH=decimal, "
     "separated by commas; * is any other path; by default text"},
    {"ingest.record_types", ChoiceField{SHOPSTREAM_FIELD(ingest.record_types), {"one", "each"}},
     "one: records of another type than the table's are quarantined; each: every further record "
     "type has its own table, <lake.bronze_table>-<type>"},
    {"ingest.maintenance", SwitchField{SHOPSTREAM_FIELD(ingest.maintenance)},
     "true: ingest also compacts and vacuums the tables it fills; false: only `table optimize` "
     "and `table vacuum` do"},
    {"refine.silver_table", TextField{SHOPSTREAM_FIELD(refine.silver_table), TextForm::kTable},
     "table of valid purchases; a path below the root"},
    {"refine.rejects_table", TextField{SHOPSTREAM_FIELD(refine.rejects_table), TextForm::kTable},
     "table of the rows that rules reject, and of repeated ones"},
    {"refine.gold_folder", TextField{SHOPSTREAM_FIELD(refine.gold_folder), TextForm::kTable},
     "folder of the metrics' tables"},
    {"refine.rules", TextField{SHOPSTREAM_FIELD(refine.rules)}, "YAML file of the rules"},
    {"refine.rates", TextField{SHOPSTREAM_FIELD(refine.rates)},
     "CSV file of exchange rates to US dollars"},
    {"refine.categories", TextField{SHOPSTREAM_FIELD(refine.categories)},
     "YAML file that lists the files of product categories"},
    {"refine.sql_folder", TextField{SHOPSTREAM_FIELD(refine.sql_folder), TextForm::kAny},
     "folder of silver.sql and gold/*.sql; empty: those of the program"},
    {"refine.interval_ms", NumberField{SHOPSTREAM_FIELD(refine.interval_ms), 100, 3'600'000},
     "how often `refine --watch` looks for new rows"},
    {"refine.pass_rows", NumberField{SHOPSTREAM_FIELD(refine.pass_rows), 1'000, 5'000'000},
     "maximum number of rows of a pass"},
    {"refine.memory_limit_mb", NumberField{SHOPSTREAM_FIELD(refine.memory_limit_mb), 256, 65'536},
     "MiB for the rows of a pass and for SQL over them; above it, SQL spills to disk"},
    {"refine.threads", NumberField{SHOPSTREAM_FIELD(refine.threads), 1, 256},
     "threads of refine's SQL"},
    {"refine.state_folder", TextField{SHOPSTREAM_FIELD(refine.state_folder)},
     "folder on disk for the index of refined event ids, which refine can rebuild"},
    {"refine.state_limit_mb", NumberField{SHOPSTREAM_FIELD(refine.state_limit_mb), 64, 16'777'216},
     "MiB of that index; above it, the dates not used for longest are dropped"},
    {"refine.late_after_seconds",
     NumberField{SHOPSTREAM_FIELD(refine.late_after_seconds), 0, 31'536'000},
     "a purchase is late if the time of its record is more than this many seconds after its event "
     "time"},
    {"refine.maintenance", SwitchField{SHOPSTREAM_FIELD(refine.maintenance)},
     "true: refine also compacts and vacuums the tables it fills"},
    {"query.memory_limit_mb", NumberField{SHOPSTREAM_FIELD(query.memory_limit_mb), 64, 1'048'576},
     "MiB for the tables that `shopstream query` sorts, joins and groups; above it, it spills to "
     "disk"},
    // Below a second, a sample of a lake in S3 takes longer than the interval.
    {"observe.interval_ms", NumberField{SHOPSTREAM_FIELD(observe.interval_ms), 1'000, 3'600'000},
     "how often `shopstream observe` samples each part"},
    {"observe.topics", ChoiceField{SHOPSTREAM_FIELD(observe.topics), {"own", "all"}},
     "own: observe samples kafka.topic; all: every topic of the cluster"},
    {"observe.groups", ChoiceField{SHOPSTREAM_FIELD(observe.groups), {"own", "all"}},
     "own: observe samples kafka.group; all: every consumer group of the cluster, each with one "
     "request per sample"},
    {"console.listen", TextField{SHOPSTREAM_FIELD(console.listen), TextForm::kListen},
     "address on which `shopstream console` listens"},
    {"console.hosts", ListField{SHOPSTREAM_FIELD(console.hosts)},
     "names by which browsers may also reach the console, separated by commas, such as a proxy's; "
     "localhost and the host of console.listen are always allowed"},
    {"console.allow_changes", SwitchField{SHOPSTREAM_FIELD(console.allow_changes)},
     "true: whoever has the token of console.token_file or the role writer may make changes"},
    {"console.token_file", TextField{SHOPSTREAM_FIELD(console.token_file), TextForm::kAny},
     "file with the token that permits changes; empty: only users may make them"},
    {"console.users", TextField{SHOPSTREAM_FIELD(console.users), TextForm::kAny},
     "file of lines name:hash:reader|writer; empty: the console needs no login"},
    {"console.mask", ListField{SHOPSTREAM_FIELD(console.mask)},
     "fields whose values the console never shows, separated by commas"},
    {"console.change_log", TextField{SHOPSTREAM_FIELD(console.change_log)},
     "file that lists every change made in the console, one JSON object per line"},
    {"console.sql_rows", NumberField{SHOPSTREAM_FIELD(console.sql_rows), 1, 100'000},
     "most rows that a query in the console shows; a download has all"},
    {"console.sql_seconds", NumberField{SHOPSTREAM_FIELD(console.sql_seconds), 1, 600},
     "longest time that a query runs; a download may take ten times as long"},
    {"console.sql_memory_limit_mb",
     NumberField{SHOPSTREAM_FIELD(console.sql_memory_limit_mb), 64, 1'048'576},
     "MiB in which a query sorts, joins and groups; above it, it spills to disk"},
    {"console.sql_queries", NumberField{SHOPSTREAM_FIELD(console.sql_queries), 1, 16},
     "most queries at the same time; further ones are refused"},
    {"console.labs_command", ListField{SHOPSTREAM_FIELD(console.labs_command)},
     "program that runs labs and its first arguments, separated by commas, such as "
     "/home/me/shopstream/run,lab; empty: the console has no labs"},
    {"console.tls.certificate",
     TextField{SHOPSTREAM_FIELD(console.tls_certificate), TextForm::kAny},
     "PEM file with which the console serves HTTPS; empty: HTTP"},
    {"console.tls.key", TextField{SHOPSTREAM_FIELD(console.tls_key), TextForm::kAny},
     "PEM file of the certificate's private key"},
    {"metrics.listen", TextField{SHOPSTREAM_FIELD(metrics.listen), TextForm::kListenOrOff},
     "address on which metrics and probes are served; empty: off; if taken, the next free port up "
     "to 15 higher"},
    {"log.level",
     ChoiceField{SHOPSTREAM_FIELD(log.level), {"trace", "debug", "info", "warn", "error", "off"}},
     "the least severe messages on stderr: trace, debug, info, warn, error or off"},
    {"log.format", ChoiceField{SHOPSTREAM_FIELD(log.format), {"auto", "text", "logfmt", "json"}},
     "form of these messages: text for people, logfmt or json; auto: logfmt for commands that run "
     "until they are stopped, unless stderr is a terminal; text otherwise"},
};

#undef SHOPSTREAM_FIELD

Status CheckUrl(const std::string& value) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (value.starts_with(scheme) && value.size() > scheme.size()) return Status::OK();
  }
  return Status::Invalid("'", WithoutCredentials(value),
                         "' is not a URL: write http://host:port or https://host:port");
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

Status CheckPath(std::string_view value) {
  const bool broken = value.starts_with('.') || value.ends_with('.') ||
                      value.find("..") != std::string_view::npos ||
                      value.find_first_of(" \t/[]") != std::string_view::npos;
  if (value.empty() || broken) {
    return Status::Invalid("'", value, "' is not a field: write its name, or a.b for a nested one");
  }
  return Status::OK();
}

Status CheckItem(ListForm form, const std::string& item) {
  switch (form) {
    case ListForm::kAny:
      return Status::OK();
    case ListForm::kPaths:
      return CheckPath(item);
    case ListForm::kWideDecimals:
      break;
  }
  const size_t equals = item.find('=');
  const std::string kind = equals == std::string::npos ? "" : item.substr(equals + 1);
  if (kind != "text" && kind != "double" && kind != "decimal") {
    return Status::Invalid("'", item, "' is not PATH=text, PATH=double or PATH=decimal");
  }
  return item.starts_with("*=") ? Status::OK() : CheckPath(item.substr(0, equals));
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
    case TextForm::kPathOrNone:
      return value.empty() ? Status::OK() : CheckPath(value);
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
    ARROW_RETURN_NOT_OK(CheckItem(field.form, items.back()));
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

Status Set(const ChoiceField& field, const std::string& value, Config* config) {
  if (std::ranges::find(field.choices, value) == field.choices.end()) {
    std::vector<std::string> shown = field.choices;
    if (shown.front().empty()) shown.front() = "empty";
    if (shown.size() == 1) {
      return Status::Invalid("'", value, "' is not supported: the only choice is ", shown.front());
    }
    return Status::Invalid("'", value, "' is not one of ", Joined(shown, ", "),
                           DidYouMean(value, field.choices));
  }
  field.in(*config) = value;
  return Status::OK();
}

Status Set(const SecretFileField& field, const std::string& value, Config* config) {
  if (value.empty()) return Status::OK();
  return ReadSecretFile(value).Value(&field.in(*config));
}

Status Set(const DateField& field, const std::string& value, Config* config) {
  const Result<int64_t> millis = ParseTimestamp(value);
  if (value.size() != kDateLength || !millis.ok()) {
    return Status::Invalid("'", value, "' is not a date from 0001-01-01 to 9999-12-31");
  }
  // Only whole days, so the sign does not matter.
  field.in(*config) = static_cast<int32_t>(*millis / kMillisOfDay);
  return Status::OK();
}

std::string Text(const TextField& field, Config& config) { return field.in(config); }
std::string Text(const SecretFileField& /*field*/, Config& /*config*/) { return ""; }
std::string Text(const ChoiceField& field, Config& config) { return field.in(config); }
std::string Text(const NumberField& field, Config& config) {
  return std::to_string(field.in(config));
}
std::string Text(const ListField& field, Config& config) { return Joined(field.in(config), ","); }
std::string Text(const SwitchField& field, Config& config) {
  return field.in(config) ? "true" : "false";
}
std::string Text(const DateField& field, Config& config) {
  return FormatTimestamp(field.in(config)*kMillisOfDay).substr(0, kDateLength);
}

}  // namespace

std::string EnvironmentName(std::string_view key) {
  std::string name = "SHOPSTREAM_";
  for (const char c : key) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::span<const Setting> AllSettings() { return kSettings; }

const Setting* FindSetting(std::string_view key) {
  for (const Setting& setting : kSettings) {
    if (key == setting.key) return &setting;
  }
  return nullptr;
}

Status SetSetting(const Setting& setting, const std::string& value, Config* config) {
  return std::visit([&](const auto& field) { return Set(field, value, config); }, setting.field);
}

std::string SettingText(const Setting& setting, Config& config) {
  return std::visit([&](const auto& field) { return Text(field, config); }, setting.field);
}

}  // namespace shopstream
