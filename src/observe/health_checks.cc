#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/http_client.h"
#include "base/join.h"
#include "base/json.h"
#include "base/listen_address.h"
#include "base/tcp_probe.h"
#include "kafka/admin.h"
#include "kafka/trouble.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "observe/health.h"
#include "observe/lag.h"

namespace shopstream::observe {
namespace {

// A record waits at most the batch timeout for its cut; if it is older than that plus this grace,
// ingest is not keeping up or not running.
constexpr int64_t kLagGraceMillis = 30'000;

ComponentHealth Ok(std::string component, std::string detail) {
  return {std::move(component), HealthState::kOk, std::move(detail), ""};
}

ComponentHealth Degraded(std::string component, std::string detail, std::string remedy) {
  return {std::move(component), HealthState::kDegraded, std::move(detail), std::move(remedy)};
}

ComponentHealth NotAllowed(std::string component, std::string detail, std::string remedy) {
  return {std::move(component), HealthState::kNotAllowed, std::move(detail), std::move(remedy)};
}

ComponentHealth Down(std::string component, std::string detail, std::string remedy) {
  return {std::move(component), HealthState::kDown, std::move(detail), std::move(remedy)};
}

// As the client library parses a bootstrap server: [protocol://]host[:port].
Result<ListenAddress> ParseBootstrapServer(const std::string& text) {
  const size_t protocol = text.find("://");
  const std::string address = protocol == std::string::npos ? text : text.substr(protocol + 3);
  const bool has_port = address.rfind(':') != std::string::npos && !address.ends_with(']');
  return ParseListenAddress(has_port ? address : address + ":9092");
}

ComponentHealth CheckBroker(const std::string& address, Millis timeout) {
  const std::string component = "broker " + address;
  const auto parsed = ParseBootstrapServer(address);
  if (!parsed.ok()) {
    return Down(component, parsed.status().message(), "correct kafka.bootstrap_servers");
  }
  const Status reached = ProbeTcp(parsed->host, parsed->port, timeout);
  if (reached.ok()) return Ok(component, "reachable");
  return Down(component, reached.message(), kafka::StartBroker(parsed->host));
}

struct Told {
  std::string detail, remedy;  // The remedy is empty if the message has none after the mark.
};

// The messages of kafka/errors.cc end with their remedy: "... (connection refused): start ...".
Told SplitAfter(const std::string& message, std::string_view mark, size_t kept) {
  const size_t at = message.rfind(mark);
  if (at == std::string::npos) return {message, ""};
  return {message.substr(0, at + kept), message.substr(message.find(": ", at) + 2)};
}

// Judges a failed request to Kafka. A missing permission does not prove that anything is wrong; a
// refused login makes everything fail.
ComponentHealth KafkaFailure(const std::string& component, const Status& status) {
  const Told denied = SplitAfter(status.message(), ": grant ", 0);
  const ErrorKind kind = KindOf(status);
  if (kind == ErrorKind::kRefused && !denied.remedy.empty()) {
    return NotAllowed(component, denied.detail, denied.remedy);
  }
  const Told told = SplitAfter(status.message(), "): ", 1);
  if (!told.remedy.empty()) return Down(component, told.detail, told.remedy);
  switch (kind) {
    case ErrorKind::kRefused:
      return Down(component, told.detail, "correct kafka.security");
    case ErrorKind::kInvalid:
      return Down(component, told.detail, "correct kafka.*");
    default:
      return Down(component, told.detail, "start enough brokers for a majority");
  }
}

ComponentHealth CheckController(const KafkaConfig& config, Millis timeout) {
  const auto admin = kafka::Admin::Open(config, timeout);
  if (!admin.ok()) return Down("cluster", admin.status().message(), "correct kafka.*");
  const auto cluster = (*admin)->DescribeCluster();
  if (!cluster.ok()) return KafkaFailure("cluster", cluster.status());
  if (cluster->controller < 0) {
    return Down("cluster", "there is no controller", "start enough brokers for a majority");
  }
  return Ok("cluster",
            fmt::format("{} brokers, controller {}", cluster->brokers.size(), cluster->controller));
}

ComponentHealth JudgeTopic(const kafka::TopicState& topic) {
  const auto configured = topic.configs.find("min.insync.replicas");
  const std::string text = configured == topic.configs.end() ? "1" : configured->second;
  size_t least = 1;
  std::from_chars(text.data(), text.data() + text.size(), least);
  int leaderless = 0, refusing = 0, behind = 0;
  for (const kafka::PartitionState& partition : topic.partitions) {
    leaderless += partition.leader < 0 ? 1 : 0;
    refusing += partition.in_sync.size() < least ? 1 : 0;
    behind += partition.in_sync.size() < partition.replicas.size() ? 1 : 0;
  }
  const size_t all = topic.partitions.size();
  const std::string component = "topic " + topic.name;
  if (leaderless > 0) {
    return Down(component, fmt::format("{} of {} partitions have no leader", leaderless, all),
                "start the brokers that are down");
  }
  if (refusing > 0) {
    return Down(component,
                fmt::format("{} of {} partitions have fewer than {} replicas in sync and refuse "
                            "writes",
                            refusing, all, least),
                "start the brokers that are down");
  }
  if (behind > 0) {
    return Degraded(component, fmt::format("{} of {} partitions under-replicated", behind, all),
                    "start the brokers that are down, or wait until they have caught up");
  }
  return Ok(component, Counted(static_cast<int64_t>(all), "partition") + ", all replicas in sync");
}

ComponentHealth CheckTopic(const KafkaConfig& config, Millis timeout) {
  const std::string component = "topic " + config.topic;
  const auto admin = kafka::Admin::Open(config, timeout);
  if (!admin.ok()) return Down(component, admin.status().message(), "correct kafka.*");
  auto topic = (*admin)->DescribeTopic(config.topic, /*with_configs=*/false);
  // The reason is in the line of the cluster.
  if (IsUnavailable(topic.status())) {
    return Down(component, "unknown: the cluster does not answer", "see the cluster");
  }
  if (!topic.ok()) return KafkaFailure(component, topic.status());
  if (!*topic) {
    return Down(component, "does not exist",
                "create it: `shopstream topics create " + config.topic + "`");
  }
  const auto whole = (*admin)->DescribeTopic(config.topic);
  if (whole.ok() && *whole) return JudgeTopic(**whole);
  const ComponentHealth judged = JudgeTopic(**topic);
  if (judged.state != HealthState::kOk) return judged;
  return whole.ok() ? Down(component, "was just deleted", "run the check again")
                    : KafkaFailure(component, whole.status());
}

std::string StartRegistry(const std::string& url) {
  const size_t scheme = url.find("://");
  std::string host = scheme == std::string::npos ? url : url.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  const auto address = ParseListenAddress(host);
  if (address.ok()) host = address->host;
  if (IsThisMachine(host)) return "start it: `shopstream registry`, or correct registry.url";
  return "start the registry on " + host +
         " (its service or container) and see its log there, or correct registry.url";
}

ComponentHealth CheckRegistry(const RegistryConfig& config, Millis timeout) {
  const std::string remedy = StartRegistry(config.url);
  auto client = HttpClient::Open(
      config.url, timeout, {config.username, config.password, config.ca_file, "registry.url"});
  if (!client.ok()) return Down("registry", client.status().message(), "correct registry.url");
  const auto reply = client->Get("/subjects");
  if (!reply.ok()) return Down("registry", reply.status().message(), remedy);
  if (reply->status == 200) {
    // Registries of other vendors have no such path.
    const auto health = client->Get("/health");
    const auto told = ParseJson(health.ok() ? health->body : "");
    if (!told.is_object() || told.value("status", "") != "degraded") {
      return Ok("registry", "answers");
    }
    return Degraded("registry", told.value("reason", "degraded"), "see docs/registry.md");
  }
  if (reply->status == 401) {
    return Down("registry", "GET /subjects: status 401: it refuses the login",
                "set registry.username and registry.password");
  }
  if (reply->status == 403) {
    return NotAllowed("registry", "GET /subjects: status 403",
                      "grant registry.username the permission to read subjects");
  }
  if (reply->status == 503) {
    return Down("registry", "answers 503: it has not read its topic to the end",
                "wait; if it persists, check the brokers");
  }
  return Down("registry", fmt::format("GET /subjects: status {}", reply->status), remedy);
}

// When Bronze's newest log entry was written, by the server's clock.
Result<int64_t> LastCommitMillis(lake::ObjectStore* store, const std::string& table,
                                 int64_t version) {
  const std::string entry = fmt::format("{}/_delta_log/{:020}.json", table, version);
  ARROW_ASSIGN_OR_RAISE(const auto entries, store->List(entry));
  if (entries.empty()) return Unavailable(entry, ": not found");
  return entries.front().modified_ms;
}

ComponentHealth LakeFailure(const Status& status) {
  const std::string& message = status.message();
  if (IsDenied(status)) {
    return NotAllowed("lake", message, "grant this user or key to read the lake (docs/lake.md)");
  }
  return Down("lake", message, "check that the storage answers");
}

ComponentHealth CheckLake(const Config& config) {
  const auto store = lake::OpenObjectStore(config);
  if (!store.ok()) return Down("lake", store.status().message(), "correct lake.uri");
  const auto table = lake::Table::Open(store->get(), config.lake.bronze_table);
  if (table.status().IsKeyError()) {
    return Degraded("lake", "there is no " + config.lake.bronze_table + " yet",
                    "run `shopstream ingest`");
  }
  if (!table.ok()) return LakeFailure(table.status());
  const auto snapshot = (*table)->snapshot();
  const auto committed =
      LastCommitMillis(store->get(), config.lake.bronze_table, snapshot->version());
  if (!committed.ok()) return LakeFailure(committed.status());
  const int64_t age = std::max<int64_t>(0, WallClockMillis() - *committed);
  return Ok("lake", fmt::format("{} at version {}, {}, last commit {} ago",
                                config.lake.bronze_table, snapshot->version(),
                                Counted(snapshot->file_count(), "file"), FormatMillis(age)));
}

ComponentHealth JudgeLag(const IngestConfig& config, const std::vector<PartitionLag>& lags) {
  int64_t offsets = 0, oldest = 0;
  bool unknown_age = false;
  for (const PartitionLag& lag : lags) {
    if (lag.stopped()) {
      return Down("ingest",
                  fmt::format("partition {} has not been read since {}: {}", lag.partition,
                              FormatTimestamp(lag.stop.at_ms), Meaning(lag.stop.reason)),
                  "see `shopstream progress show`");
    }
    if (lag.beyond_kafka()) {
      return Down("ingest",
                  fmt::format("partition {}: the lake has read to {}, Kafka ends at {}: Kafka lost "
                              "records",
                              lag.partition, *lag.txn, lag.end),
                  "see `shopstream progress show`");
    }
    if (!lag.known()) continue;
    offsets += lag.lag;
    oldest = std::max(oldest, lag.lag_ms.value_or(0));
    unknown_age = unknown_age || !lag.lag_ms;
  }
  const std::string behind =
      fmt::format("{} behind, the oldest {}", Counted(offsets, "record"),
                  unknown_age ? "of unknown age" : FormatMillis(oldest) + " old");
  for (const PartitionLag& lag : lags) {
    if (lag.known()) continue;
    return Degraded("ingest",
                    fmt::format("partition {}: {}; the other partitions: {}", lag.partition,
                                lag.unknown, behind),
                    "start the brokers that are down");
  }
  for (const PartitionLag& lag : lags) {
    if (!lag.lost()) continue;
    return Degraded("ingest",
                    fmt::format("partition {}: offsets {} to {} expired before ingest; {}",
                                lag.partition, *lag.txn, lag.log_start - 1, behind),
                    "run `shopstream ingest` more often than the topic's retention");
  }
  if (unknown_age || oldest > config.batch_timeout_seconds * 1000 + kLagGraceMillis) {
    return Degraded("ingest", behind,
                    "check that `shopstream ingest` is running, and read its log");
  }
  return Ok("ingest", offsets == 0 ? "caught up" : behind);
}

using Txns = std::map<std::string, int64_t>;

Result<Txns> ReadProgress(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(config));
  return ReadBronzeTxns(store.get(), config.lake.bronze_table);
}

Result<ComponentHealth> MeasureIngest(const Config& config, const Txns& txns, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config.kafka, timeout));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.kafka.topic, false));
  if (!topic) return Unavailable("unknown: the topic does not exist");
  ARROW_ASSIGN_OR_RAISE(const auto lags,
                        MeasureLag(config.kafka, admin.get(), *topic, txns, timeout / 2));
  return JudgeLag(config.ingest, lags);
}

ComponentHealth CheckIngest(const Config& config, Millis timeout) {
  const auto txns = ReadProgress(config);
  if (!txns.ok() && KindOf(txns.status()) == ErrorKind::kRefused) {
    const auto state = IsDenied(txns.status()) ? HealthState::kNotAllowed : HealthState::kDown;
    return {"ingest", state, "its progress is in the lake, which cannot be read", "see the lake"};
  }
  const auto health = txns.ok() ? MeasureIngest(config, *txns, timeout) : txns.status();
  if (health.ok()) return *health;
  if (KindOf(health.status()) == ErrorKind::kRefused) {
    return KafkaFailure("ingest", health.status());
  }
  if (IsUnavailable(health.status())) {
    return Degraded("ingest", "unknown: the cluster or the lake does not answer",
                    "first fix the components that are down");
  }
  // The components that it depends on have their own lines above.
  return Degraded("ingest", health.status().message(), "first fix the components that are down");
}

}  // namespace

bool IsDenied(const Status& status) {
  const std::string& message = status.message();
  return KindOf(status) == ErrorKind::kRefused &&
         (message.find("access denied") != std::string::npos ||
          message.find("Permission denied") != std::string::npos);
}

std::vector<HealthCheck> AllHealthChecks(const Config& config, Millis timeout) {
  std::vector<HealthCheck> checks;
  for (const std::string& address : SplitList(config.kafka.bootstrap_servers)) {
    checks.push_back({"broker " + address, [=] { return CheckBroker(address, timeout); }});
  }
  checks.push_back({"cluster", [=] { return CheckController(config.kafka, timeout); }});
  checks.push_back(
      {"topic " + config.kafka.topic, [=] { return CheckTopic(config.kafka, timeout); }});
  checks.push_back({"registry", [=] { return CheckRegistry(config.registry, timeout); }});
  checks.push_back({"lake", [=] { return CheckLake(config); }});
  checks.push_back({"ingest", [=] { return CheckIngest(config, timeout); }});
  return checks;
}

}  // namespace shopstream::observe
