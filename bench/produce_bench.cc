// How fast `shopstream generate` produces, compared with the bare client library with prepared
// payloads at the same durability: the same topic, idempotent, acks=all, snappy. Needs a running
// cluster and registry. Rounds alternate, so that both see the same machine; the ratio is that of
// the medians.
//
//   produce_bench [--bootstrap HOSTS] [--registry URL] [--topic T] [--count N] [--rounds R]
//                 [--client-property K=V ...]

#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/log.h"
#include "generate/catalogue.h"
#include "generate/shoppers.h"
#include "generate/synthetic_source.h"
#include "model/purchase_event.h"
#include "produce/parcel.h"
#include "produce/produce.h"

namespace shopstream {
extern const std::string_view kPurchaseEventAvsc;

namespace {

constexpr int64_t kReadyMade = 200'000;  // Distinct payloads; they repeat after that.
constexpr int64_t kStartMillis = 1'761'264'000'000;

struct Round {
  int64_t events = 0;
  double seconds = 0;
  double cpu_seconds = 0;  // This process, all threads.
  double Rate() const { return static_cast<double>(events) / seconds; }
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Runs `work`, which returns the number of events.
template <typename Work>
Result<Round> Measure(Work work) {
  const double cpu = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  ARROW_ASSIGN_OR_RAISE(const int64_t events, work());
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  return Round{events, passed.count(), CpuSeconds() - cpu};
}

Result<std::unique_ptr<generate::EventSource>> OpenSource() {
  ARROW_ASSIGN_OR_RAISE(const auto catalogue, generate::BuiltInCatalogue());
  ARROW_ASSIGN_OR_RAISE(const auto shoppers, generate::BuiltInShoppers());
  generate::SyntheticOptions options;
  options.seed = 1;
  options.start_millis = kStartMillis;
  return generate::OpenSyntheticSource(catalogue, shoppers, options, [] { return int64_t{0}; });
}

// Parcels of encoded events, kept.
Result<std::vector<std::unique_ptr<produce::Parcel>>> MakePayloads() {
  ARROW_ASSIGN_OR_RAISE(auto source, OpenSource());
  ARROW_ASSIGN_OR_RAISE(auto maker, produce::ParcelMaker::Open(source.get(), *PurchaseEventSchema(),
                                                               std::string(kPurchaseEventAvsc), 1));
  std::vector<std::unique_ptr<produce::Parcel>> parcels;
  for (int64_t rows = 0; rows < kReadyMade; rows += std::ssize(parcels.back()->messages)) {
    parcels.push_back(std::make_unique<produce::Parcel>());
    ARROW_RETURN_NOT_OK(maker.Make(4096, parcels.back().get()));
  }
  return parcels;
}

struct Deliveries {
  int64_t good = 0, failed = 0;
};

void OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
  auto* deliveries = static_cast<Deliveries*>(opaque);
  ++(message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? deliveries->good : deliveries->failed);
}

struct Options {
  Config config;
  int64_t count = 2'000'000;
  int rounds = 3;
};

// librdkafka as in its own examples: one produce call per message, an occasional poll.
class BareClient {
 public:
  static Result<std::unique_ptr<BareClient>> Open(const KafkaConfig& config) {
    auto bare = std::make_unique<BareClient>();
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::vector<std::pair<std::string, std::string>> properties = {
        {"bootstrap.servers", config.bootstrap_servers},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"compression.type", "snappy"},
        {"partitioner", "murmur2_random"},
        {"linger.ms", "20"},
    };
    for (const auto& property : config.security) properties.push_back(property);
    char reason[512];
    for (const auto& [key, value] : properties) {
      if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), reason, sizeof reason) !=
          RD_KAFKA_CONF_OK) {
        return Status::Invalid(reason);
      }
    }
    rd_kafka_conf_set_dr_msg_cb(conf, &OnDelivery);
    rd_kafka_conf_set_opaque(conf, &bare->deliveries_);
    bare->client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (bare->client_ == nullptr) return Status::Invalid(reason);
    bare->topic_ = rd_kafka_topic_new(bare->client_, config.topic.c_str(), nullptr);
    return bare;
  }
  BareClient() = default;
  BareClient(const BareClient&) = delete;
  ~BareClient() {
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
    if (client_ != nullptr) rd_kafka_destroy(client_);
  }

  Result<int64_t> Send(const std::vector<std::unique_ptr<produce::Parcel>>& payloads,
                       int64_t count) {
    int64_t sent = 0;
    while (sent < count) {
      for (const auto& parcel : payloads) {
        for (const kafka::Message& message : parcel->messages) {
          if (sent == count) break;
          SendOne(message);
          if (++sent % 1000 == 0) rd_kafka_poll(client_, 0);
        }
      }
    }
    rd_kafka_flush(client_, 300'000);
    if (deliveries_.good != count) {
      return Status::IOError("the bare client delivered ", deliveries_.good, " of ", count);
    }
    return count;
  }

 private:
  void SendOne(const kafka::Message& message) {
    while (rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            const_cast<uint8_t*>(message.value.data()), message.value.size(),
                            message.key.data(), message.key.size(), nullptr) != 0) {
      rd_kafka_poll(client_, 100);
    }
  }

  Deliveries deliveries_;
  rd_kafka_t* client_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
};

// The time is as reported by the command, from the first event to the last acknowledgement; as with
// the bare client, the set-up (client, schema) is excluded.
Result<Round> Generate(const Options& options) {
  const double cpu = CpuSeconds();
  ARROW_ASSIGN_OR_RAISE(auto source, OpenSource());
  produce::ProduceOptions limits;
  limits.count = options.count;
  limits.silent = true;
  ARROW_ASSIGN_OR_RAISE(const auto summary, produce::Produce(source.get(), options.config, limits));
  if (summary.acknowledged != options.count) {
    return Status::IOError("generate delivered ", summary.acknowledged, " of ", options.count, ": ",
                           summary.first_error);
  }
  return Round{summary.acknowledged, summary.seconds, CpuSeconds() - cpu};
}

// Without Kafka: one thread, parcels are discarded.
Result<int64_t> GenerateAndEncode(int64_t count) {
  ARROW_ASSIGN_OR_RAISE(auto source, OpenSource());
  ARROW_ASSIGN_OR_RAISE(auto maker, produce::ParcelMaker::Open(source.get(), *PurchaseEventSchema(),
                                                               std::string(kPurchaseEventAvsc), 1));
  produce::Parcel parcel;
  int64_t rows = 0;
  while (rows < count) {
    ARROW_RETURN_NOT_OK(maker.Make(4096, &parcel));
    rows += std::ssize(parcel.messages);
  }
  return rows;
}

void Print(const char* name, const Round& round) {
  std::printf("%-22s %9.0f events/s   %5.2f us of CPU each\n", name, round.Rate(),
              round.cpu_seconds / static_cast<double>(round.events) * 1e6);
  std::fflush(stdout);
}

double MedianRate(std::vector<Round> rounds) {
  std::sort(rounds.begin(), rounds.end(),
            [](const Round& a, const Round& b) { return a.Rate() < b.Rate(); });
  return rounds[rounds.size() / 2].Rate();
}

Status Run(const Options& options) {
  ARROW_ASSIGN_OR_RAISE(const Round encode, Measure([] { return GenerateAndEncode(4'000'000); }));
  Print("generate and encode", encode);
  std::printf("%-22s %9.0f events/s per core of CPU\n", "", encode.events / encode.cpu_seconds);
  if (options.rounds == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto payloads, MakePayloads());
  std::vector<Round> bare, generated;
  for (int i = 0; i < options.rounds; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto client, BareClient::Open(options.config.kafka));
    ARROW_ASSIGN_OR_RAISE(bare.emplace_back(),
                          Measure([&] { return client->Send(payloads, options.count); }));
    client.reset();
    Print("bare client", bare.back());
    ARROW_ASSIGN_OR_RAISE(generated.emplace_back(), Generate(options));
    Print("shopstream generate", generated.back());
  }
  std::printf("ratio of the medians   %.2f\n", MedianRate(generated) / MedianRate(bare));
  return Status::OK();
}

}  // namespace
}  // namespace shopstream

int main(int argc, char** argv) {
  CLI::App app("shopstream generate against the bare client library");
  shopstream::Options options;
  std::vector<std::string> properties;
  app.add_option("--bootstrap", options.config.kafka.bootstrap_servers);
  app.add_option("--registry", options.config.registry.url);
  app.add_option("--topic", options.config.kafka.topic);
  app.add_option("--count", options.count);
  app.add_option("--rounds", options.rounds, "0: generate and encode only, without Kafka");
  app.add_option("--client-property", properties, "K=V, for both");
  CLI11_PARSE(app, argc, argv);
  for (const std::string& property : properties) {
    const size_t equals = property.find('=');
    options.config.kafka.security[property.substr(0, equals)] = property.substr(equals + 1);
  }
  const shopstream::Status logging = shopstream::StartLogging({.level = "warn"});
  const shopstream::Status status = logging.ok() ? shopstream::Run(options) : logging;
  if (!status.ok()) std::fprintf(stderr, "produce_bench: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
