#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream {

struct KafkaConfig {
  std::string bootstrap_servers = "127.0.0.1:9094,127.0.0.1:9095,127.0.0.1:9096";
  std::string topic = "shopstream-purchases";
  std::string group = "purchase-ingestion-consumers";
  // Empty: dynamic membership. Otherwise this member's group.instance.id, unique in the group.
  std::string group_instance_id;
  // Passed to librdkafka unchanged, e.g. {security.protocol: SASL_SSL}.
  std::map<std::string, std::string> security;
};

struct RegistryConfig {
  std::string url = "http://127.0.0.1:8082";
  std::string listen = "127.0.0.1:8082";
  // Basic-auth credentials; credentials in the URL take precedence.
  std::string username;
  std::string password;
  std::string ca_file;  // PEM: the CA that signed its certificate; empty: the system's CAs.
  std::string subject;  // Has the topic's schemas; empty: the strategy names it.
  std::string subject_strategy = "topic";  // topic, record or topic_record.
  // Used by `shopstream registry`.
  std::string tls_certificate;  // PEM; empty: plain HTTP.
  std::string tls_key;          // PEM.
  std::string users;            // A file of lines name:hash:reader|writer; empty: no login.
};

struct LakeConfig {
  // A path, file:///... or s3://bucket/prefix.
  std::string uri = ".shopstream/lake";
  // Relative to the root, so that several topics can live in one lake.
  std::string bronze_table = "bronze-events";
  std::string quarantine_table = "bronze-quarantine";
};

struct RefineConfig {
  // Tables, relative to the lake's root.
  std::string silver_table = "silver-events";
  std::string rejects_table = "silver-rejects";
  std::string gold_folder = "gold-metrics";
  // Files that decide what becomes of a row.
  std::string rules = "config/refine/rules.yaml";
  std::string rates = "config/refine/rates.csv";
  std::string categories = "config/refine/categories.yaml";
  std::string sql_folder;  // silver.sql and gold/*.sql; empty: those in the program.
  int64_t interval_ms = 2000;
  int64_t pass_rows = 500'000;  // The most rows of one pass.
  // Half is for DuckDB's buffers, a quarter for the rows of a pass.
  int64_t memory_limit_mb = 512;
  int64_t threads = 2;
  std::string state_folder = ".shopstream/refine";  // The index of seen ids; can be rebuilt.
  int64_t state_limit_mb = 20'480;
  int64_t late_after_seconds = 3600;
  bool maintenance = true;  // Compact and vacuum Silver, rejects and Gold while refining.
};

struct S3Config {
  std::string endpoint;  // Empty: AWS.
  std::string region = "us-east-1";
  std::string access_key;  // Empty: the AWS environment variables, then the profile files.
  std::string secret_key;
  std::string session_token;  // For temporary credentials.
  std::string ca_file;        // PEM: CAs to trust instead of the system's.
};

struct IngestConfig {
  int64_t batch_size = 50;             // Rows with the same partition values that make a cut due.
  int64_t batch_timeout_seconds = 30;  // Longest time that a buffered row waits for its cut.
  int64_t commit_interval_ms = 1000;   // Shortest time between cuts by size.
  int64_t memory_limit_mb = 128;       // For filling and in-flight cuts and the client's queue.
  // Fields of the record that partition its rows, before the date; a nested one as a.b.
  std::vector<std::string> partition_field = {"region"};
  // The values of a single partition field; empty: any, up to the bound.
  std::vector<std::string> partition_values = {"US", "EU", "ASIA"};
  int64_t max_partition_values = 100;          // Each is a folder, and a file in every cut.
  int64_t max_open_partitions = 500;           // In one cut: each costs a file; reaching it cuts.
  std::string event_time_field = "timestamp";  // a.b: nested; empty: Kafka's timestamp.
  std::string event_time_unit;                 // d, s, ms, us or ns, of a plain int or long.
  // A record is quarantined if its event time is earlier (days since 1970-01-01; 2000-01-01), or
  // further ahead of Kafka's timestamp.
  int32_t event_time_earliest = 10'957;
  int64_t event_time_ahead_hours = 24;
  std::vector<std::string> wide_decimals;  // PATH=text|double|decimal; * for all other paths.
  std::string record_types = "one";        // Or each.
  bool maintenance = true;                 // Compact and vacuum the tables while ingesting.
};

struct QueryConfig {
  // For DuckDB's buffers; a query that needs more spills to disk.
  int64_t memory_limit_mb = 1024;
};

struct ObserveConfig {
  int64_t interval_ms = 5000;  // Between two samples of the same part.
  // own: kafka.topic and kafka.group; all: those of the whole cluster.
  std::string topics = "own";
  std::string groups = "own";
};

struct ConsoleConfig {
  std::string listen = "127.0.0.1:8080";
  std::vector<std::string> hosts;  // Names by which browsers may reach it, besides listen's.
  bool allow_changes = false;
  std::string token_file;         // Has the token for changes; empty: changes need a user.
  std::string users;              // A file as in registry.users; empty: no login.
  std::vector<std::string> mask;  // Fields that nobody sees.
  std::string change_log = ".shopstream/console/changes.jsonl";
  // Limits of each query, and of how many run at the same time.
  int64_t sql_rows = 10'000;
  int64_t sql_seconds = 30;
  int64_t sql_memory_limit_mb = 256;
  int64_t sql_queries = 2;
  // The path of the program that runs labs, which is not searched in PATH, and its first arguments:
  // "/shop/run", "lab". Empty: the page has no labs.
  std::vector<std::string> labs_command;
  std::string tls_certificate;  // PEM; empty: plain HTTP.
  std::string tls_key;          // PEM.
};

struct LogConfig {
  std::string level = "info";   // trace, debug, info, warn, error or off.
  std::string format = "auto";  // Or text, logfmt or json.
};

struct MetricsConfig {
  std::string listen = "127.0.0.1:9464";  // Empty: off. A taken port: the next free one up to +15.
};

struct Config {
  KafkaConfig kafka;
  RegistryConfig registry;
  LakeConfig lake;
  S3Config s3;
  IngestConfig ingest;
  RefineConfig refine;
  QueryConfig query;
  ObserveConfig observe;
  ConsoleConfig console;
  MetricsConfig metrics;
  LogConfig log;
};

struct ConfigSources {
  std::string file;                    // Empty: defaults only.
  bool file_required = false;          // False: a missing file means defaults (the default path).
  std::vector<std::string> overrides;  // key=value, in the order given.
  std::map<std::string, std::string> environment;  // SHOPSTREAM_KAFKA_TOPIC=...; others ignored.
};

// Precedence: overrides, environment, file, defaults. An unknown key, or a value of the wrong type
// or out of bounds, is Invalid; the message names the key, its source and the nearest key.
Result<Config> LoadConfig(const ConfigSources& sources);

// One line per setting, for `--help` and the reference documentation.
struct SettingHelp {
  std::string key, default_value, meaning;
};
std::vector<SettingHelp> ListSettings();

}  // namespace shopstream
