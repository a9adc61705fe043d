#include "kafka/client.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/log_throttle.h"

namespace shopstream::kafka {
namespace {

using ConfHandle = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

// librdkafka's levels are syslog's. Its errors (3) are connections that it retries automatically,
// so they are warnings here; a failure of the program is returned as a Status.
constexpr int kCritical = 2, kWarning = 4, kInfo = 6;

// How many similar lines were suppressed before this one; nothing: suppress this one too.
std::optional<int> Throttle(const char* facility, const char* text) {
  static std::mutex mutex;
  static LogThrottle throttle(Millis{30000});
  std::lock_guard lock(mutex);
  return throttle.Pass(facility, text, BootClock::now());
}

void LogLine(const rd_kafka_t* /*client*/, int level, const char* facility, const char* text) {
  if (level <= kCritical) {
    Log::Error("kafka client: {}: {}", facility, text);
  } else if (level <= kWarning) {
    const auto held_back = Throttle(facility, text);
    if (!held_back.has_value()) return;
    const std::string more = *held_back == 0 ? "" : fmt::format(" ({} more like it)", *held_back);
    Log::Warn("kafka client: {}: {}{}", facility, text, more);
  } else if (level <= kInfo) {
    Log::Info("kafka client: {}: {}", facility, text);
  } else {
    Log::Debug("kafka client: {}: {}", facility, text);
  }
}

bool IsSecret(std::string_view key) {
  for (std::string_view part : {"password", "secret", "pem", "sasl.oauthbearer.config"}) {
    if (key.find(part) != std::string_view::npos) return true;
  }
  return false;
}

Status SetProperty(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), reason.data(), reason.size()) ==
      RD_KAFKA_CONF_OK) {
    return Status::OK();
  }
  return Status::Invalid("Kafka client property ", key, " = \"",
                         IsSecret(key) ? "(hidden)" : value.c_str(),
                         "\" is refused: ", IsSecret(key) ? "not a valid value" : reason.data(),
                         "; correct it, in kafka.security if it is set there");
}

}  // namespace

void ClientDeleter::operator()(rd_kafka_s* client) const { rd_kafka_destroy(client); }

Result<rd_kafka_conf_s*> MakeConf(const KafkaConfig& config, const Properties& properties,
                                  void* opaque) {
  ConfHandle conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
  Properties all = properties;
  all.emplace("client.id", "shopstream");
  all["bootstrap.servers"] = config.bootstrap_servers;
  for (const auto& [key, value] : config.security) all[key] = value;
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

}  // namespace shopstream::kafka
