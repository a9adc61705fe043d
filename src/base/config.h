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
  // Passed on to librdkafka as it stands, e.g. {security.protocol: SASL_SSL}.
  std::map<std::string, std::string> security;
};

struct RegistryConfig {
  std::string url = "http://127.0.0.1:8082";
  std::string listen = "127.0.0.1:8082";
  // For a registry that asks who one is; as given in the URL where these are empty.
  std::string username;
  std::string password;
  std::string ca_file;  // PEM, of who signed its certificate; empty: the system's.
  // What `shopstream registry` serves with.
  std::string tls_certificate;  // PEM; empty: plain HTTP.
  std::string tls_key;          // PEM.
  std::string users;            // A file of lines name:hash:reader|writer; empty: everyone may all.
};

struct LakeConfig {
  // A path, file:///... or s3://bucket/prefix.
  std::string uri = ".shopstream/lake";
  // Relative to the root, so that several topics can live in one lake.
  std::string bronze_table = "bronze-events";
  std::string quarantine_table = "bronze-quarantine";
};

struct S3Config {
  std::string endpoint;  // Empty: AWS.
  std::string region = "us-east-1";
  std::string access_key;  // Empty: the AWS environment variables, then the profile files.
  std::string secret_key;
  std::string session_token;  // Of temporary credentials.
  std::string ca_file;        // PEM: trusted in place of the system's authorities.
};

struct IngestConfig {
  int64_t batch_size = 50;             // Rows of one region that make a cut worth its commit.
  int64_t batch_timeout_seconds = 30;  // No buffered row waits longer for its cut.
  int64_t commit_interval_ms = 1000;   // Cuts by size come no closer together than this.
  int64_t memory_limit_mb = 128;       // Filling and in-flight cuts and the client's queue.
  // Of the record: how its rows are laid out.
  std::string partition_field = "region";
  std::vector<std::string> partition_values = {"US", "EU", "ASIA"};  // Empty: any, up to the bound.
  int64_t max_partition_values = 100;  // Each is a folder, and a file in every cut.
  int64_t max_open_partitions = 500;   // Of one cut, each with a file; reaching it cuts.
  std::string event_time_field = "timestamp";
  bool maintenance = true;  // Compact the tables beside filling them.
};

struct MetricsConfig {
  std::string listen = "127.0.0.1:9464";  // Empty: off. A taken port: the next free one up to +15.
};

struct ConsoleConfig {
  std::string listen = "127.0.0.1:8080";
};

struct Config {
  KafkaConfig kafka;
  RegistryConfig registry;
  LakeConfig lake;
  S3Config s3;
  IngestConfig ingest;
  MetricsConfig metrics;
  ConsoleConfig console;
};

struct ConfigSources {
  std::string file;                    // Empty: defaults only.
  bool file_required = false;          // False: a missing file means defaults (the default path).
  std::vector<std::string> overrides;  // key=value, in the order given.
  std::map<std::string, std::string> environment;  // SHOPSTREAM_KAFKA_TOPIC=...; others ignored.
};

// Precedence: overrides, then environment, then the file, then defaults. An unknown key, a value
// of the wrong type or out of bounds is Invalid and names the key, its source, and the nearest key.
Result<Config> LoadConfig(const ConfigSources& sources);

// One line per setting. The source of `--help` and of the reference.
struct SettingHelp {
  std::string key, default_value, meaning;
};
std::vector<SettingHelp> ListSettings();

}  // namespace shopstream
