#include "kafka/client.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <map>
#include <mutex>
#include <string_view>

#include "base/format.h"
#include "base/log.h"
#include "base/secrets.h"
#include "base/shutdown.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using ConfHandle = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

// librdkafka's levels are syslog's. Its errors (3) are connections that it retries automatically,
// so they are warnings here; a failure of the program is returned as a Status.
constexpr int kCritical = 2, kWarning = 4, kInfo = 6;

// Brokers start, fail over and re-elect within this time, so it is not worth a line.
constexpr Millis kHold{5'000};
// Other brokers may accept us although one refuses; after this time one would have.
constexpr Millis kOthersAnswerWithin{2'000};
constexpr Millis kRecent{15'000};

// The broken connections of every client, by client.
class Troubles {
 public:
  void Note(const rd_kafka_t* client, const Trouble& trouble) {
    const std::lock_guard lock(mutex_);
    const BootClock::time_point now = BootClock::now();
    const auto [found, is_new] = by_client_.try_emplace(client, Noted{trouble, now});
    Noted& noted = found->second;
    const bool replaces = trouble.kind <= noted.trouble.kind || now - noted.at > kRecent;
    if (!is_new && replaces) noted = {trouble, now};
  }
  std::optional<Trouble> Last(const rd_kafka_t* client, std::optional<Millis> age) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_client_.find(client);
    if (found == by_client_.end()) return std::nullopt;
    if (age && BootClock::now() - found->second.at > *age) return std::nullopt;
    return found->second.trouble;
  }
  void Forget(const rd_kafka_t* client) {
    const std::lock_guard lock(mutex_);
    by_client_.erase(client);
  }

 private:
  struct Noted {
    Trouble trouble;
    BootClock::time_point at;
  };
  mutable std::mutex mutex_;
  std::map<const rd_kafka_t*, Noted> by_client_;
};

Troubles& AllTroubles() {
  static Troubles troubles;
  return troubles;
}

// "[thrd:main]: " names one of librdkafka's threads, or the connection.
std::string_view ThreadOf(std::string_view text) {
  return text.starts_with("[thrd:") ? text.substr(0, text.find(']')) : std::string_view();
}

// Each broker that is down has its own line, and a fatal error is returned by the next call.
// kafka.security holds properties of producers and of consumers, for clients of both kinds.
bool IsKnownElsewhere(std::string_view facility, std::string_view text) {
  const auto has = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (facility == "CONFWARN") return has("property and will be ignored by this");
  return facility == "ERROR" && (text.ends_with("brokers are down") || has("Fatal error: "));
}

void LogLine(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  const std::optional<Trouble> trouble = ReadTrouble(facility, text);
  if (trouble) AllTroubles().Note(client, *trouble);
  const std::string_view place = facility;
  if (level > kInfo) {
    Log::Debug("kafka client: {}: {}", facility, text);
  } else if (level > kWarning) {
    // Connections that were idle, or that the broker closed normally.
    if (!trouble) Log::Info("kafka client: {}: {}", facility, text);
  } else if (level <= kCritical) {
    Log::Error("kafka client: {}: {}", facility, text);
  } else if (trouble) {
    Log::WarnOnce(trouble->address + trouble->reason, kHold,
                  "Kafka broker " + trouble->address + ": " + trouble->reason);
  } else if (IsKnownElsewhere(place, text)) {
    Log::Debug("kafka client: {}: {}", facility, text);
  } else {
    const Millis hold = place == "GETPID" || place == "FAIL" ? kHold : Millis{0};
    Log::WarnOnce(std::string(place) + std::string(ThreadOf(text)), hold,
                  fmt::format("kafka client: {}: {}", facility, text));
  }
}

bool UsesTls(const Properties& properties) {
  const auto protocol = properties.find("security.protocol");
  return protocol != properties.end() && ToLower(protocol->second).ends_with("ssl");
}

Status SetProperty(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), reason.data(), reason.size()) ==
      RD_KAFKA_CONF_OK) {
    return Status::OK();
  }
  return Status::Invalid("Kafka client property ", key, " = \"",
                         IsSecretName(key) ? "(hidden)" : value.c_str(),
                         "\" is refused: ", IsSecretName(key) ? "not a valid value" : reason.data(),
                         "; correct it, in kafka.security if it is set there");
}

}  // namespace

void ClientDeleter::operator()(rd_kafka_s* client) const {
  rd_kafka_destroy(client);
  AllTroubles().Forget(client);
}

bool HasReachedCluster(rd_kafka_s* client) {
  char* id = rd_kafka_clusterid(client, 0);
  const bool reached = id != nullptr;
  if (reached) rd_kafka_mem_free(client, id);
  return reached;
}

std::optional<Trouble> LastTrouble(const rd_kafka_s* client) {
  return AllTroubles().Last(client, std::nullopt);
}

std::optional<Trouble> RecentTrouble(const rd_kafka_s* client) {
  const auto trouble = AllTroubles().Last(client, kRecent);
  return trouble && trouble->kind == TroubleKind::kClosed ? std::nullopt : trouble;
}

bool IsHopeless(rd_kafka_s* client, BootClock::time_point since) {
  if (ShutdownOverdue()) return true;
  const auto trouble = LastTrouble(client);
  return trouble && trouble->lasting() && BootClock::now() - since >= kOthersAnswerWithin &&
         !HasReachedCluster(client);
}

Result<rd_kafka_conf_s*> MakeConf(const KafkaConfig& config, const Properties& properties,
                                  void* opaque) {
  ConfHandle conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
  Properties all = properties;
  all.emplace("client.id", "shopstream");
  all["bootstrap.servers"] = config.bootstrap_servers;
  for (const auto& [key, value] : config.security) all[key] = value;
  if (UsesTls(all) && !all.contains("ssl.ca.location") && !all.contains("ssl.ca.pem")) {
    // The system's CAs, found by the client itself: OpenSSL's own look-up of them crashes in a
    // process that also carries Arrow's OpenSSL.
    all["ssl.ca.location"] = "probe";
  }
  for (const auto& [key, value] : all) ARROW_RETURN_NOT_OK(SetProperty(conf.get(), key, value));
  rd_kafka_conf_set_log_cb(conf.get(), &LogLine);
  rd_kafka_conf_set_opaque(conf.get(), opaque);
  return conf.release();
}

Result<ClientHandle> OpenClient(ClientKind kind, rd_kafka_conf_s* conf) {
  std::array<char, 512> reason{};
  const auto type = kind == ClientKind::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  rd_kafka_t* client = rd_kafka_new(type, conf, reason.data(), reason.size());
  if (client == nullptr) {
    rd_kafka_conf_destroy(conf);  // rd_kafka_new takes ownership only on success.
    return Status::Invalid("cannot open a Kafka client: ", reason.data(),
                           "; check the kafka.* settings");
  }
  return ClientHandle(client);
}

PartitionListHandle ListPartitions(const std::string& topic, const std::vector<int32_t>& partitions,
                                   int64_t offset) {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const int32_t p : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset = offset;
  }
  return list;
}

EventHandle AwaitEvent(rd_kafka_t* client, rd_kafka_queue_t* queue, Millis timeout) {
  constexpr Millis kLook{100};
  const BootClock::time_point since = BootClock::now();
  while (true) {
    EventHandle event(rd_kafka_queue_poll(queue, static_cast<int>(kLook.count())));
    if (event != nullptr) return event;
    if (BootClock::now() - since >= timeout || IsHopeless(client, since)) return nullptr;
  }
}

}  // namespace shopstream::kafka
