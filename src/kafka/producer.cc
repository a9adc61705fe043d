#include "kafka/producer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/metric.h"
#include "kafka/errors.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using TopicHandle = Handle<rd_kafka_topic_t, &rd_kafka_topic_destroy>;

// As in Java: a shorter outage loses nothing, and a longer one is reported.
constexpr Millis kDeliveryTimeout{120'000};

// After a purge, its delivery reports are available immediately; this is only a bound.
constexpr int kPurgeMillis = 5000;

// Messages per call of the client, so that its array of them stays on the stack and in cache.
constexpr size_t kSliceRows = 256;

rd_kafka_message_t ToClientMessage(const Message& message) {
  static constexpr uint8_t kNoBytes[1] = {0};  // A null value would be a tombstone.
  rd_kafka_message_t made = {};
  // The client's struct is also used for consuming; here it only copies from the payload.
  made.payload = const_cast<uint8_t*>(message.value.empty() ? kNoBytes : message.value.data());
  made.len = message.value.size();
  made.key = const_cast<char*>(message.key.data());
  made.key_len = message.key.size();
  return made;
}

Properties ContractProperties() {
  return {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"compression.type", "snappy"},
      {"partitioner", "murmur2_random"},
      // Uses new partitions within seconds, not minutes.
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"message.timeout.ms", std::to_string(kDeliveryTimeout.count())},
      // Fuller batches cost the brokers less per message, and nobody waits for a single purchase.
      {"linger.ms", "20"},
      {"batch.num.messages", "10000"},
      // The client's limit; under 128 MiB with its overhead of about 150 bytes per message.
      {"queue.buffering.max.kbytes", "65536"},
      {"queue.buffering.max.messages", "200000"},
  };
}

// What the current call of the client has reported, on the thread that calls it.
struct Reports {
  int64_t acknowledged = 0;
  int64_t first_micros = 0;  // How long the first of them took.
};
thread_local Reports reports;

// As configured; librdkafka refuses a text that is not a number.
Millis DeliveryTimeout(const KafkaConfig& config, const Properties& properties) {
  const auto given = config.security.find("message.timeout.ms");
  const std::string& text =
      given != config.security.end() ? given->second : properties.at("message.timeout.ms");
  int64_t millis = kDeliveryTimeout.count();
  std::from_chars(text.data(), text.data() + text.size(), millis);
  return Millis{millis};
}

}  // namespace

struct Producer::Impl {
  // The usual error counts from 0, so that a rate sees the first one.
  Impl() { failed.With({rd_kafka_err2name(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)}); }

  std::mutex mutex;  // Guards topics and first_error.
  KafkaConfig config;
  Millis delivery_timeout = kDeliveryTimeout;
  ClientHandle client;  // Destroyed after its topics.
  std::map<std::string, TopicHandle> topics;
  std::string first_error;

  Counter queued{"shopstream_producer_records_total", "Records handed to the Kafka client"};
  Counter bytes{"shopstream_producer_bytes_total",
                "Bytes of the keys and values of these records, uncompressed"};
  Counter acknowledged{"shopstream_producer_acknowledged_total",
                       "Records that all in-sync replicas have written"};
  Counters failed{"shopstream_producer_failed_total",
                  "Records that were not delivered, by the client's error",
                  {"error"}};
  Histogram delivery{"shopstream_producer_delivery_seconds",
                     "Time from handing a record to the client to its acknowledgement; those "
                     "reported together count with the time of the first"};

  // Called by the client from within Poll and Flush, on their thread.
  static void OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    auto* impl = static_cast<Impl*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (reports.acknowledged++ == 0) reports.first_micros = rd_kafka_message_latency(message);
    } else {
      impl->CountFailed(rd_kafka_topic_name(message->rkt), message->partition, message->err);
    }
  }

  void CountReports() {
    const Reports done = std::exchange(reports, {});
    if (done.acknowledged == 0) return;
    acknowledged.Add(done.acknowledged);
    if (done.first_micros < 0) return;  // The client does not know.
    delivery.Observe(std::chrono::microseconds(done.first_micros), done.acknowledged);
  }

  void CountFailed(const std::string& topic, int32_t partition, rd_kafka_resp_err_t error) {
    failed.With({rd_kafka_err2name(error)}).Add();
    std::lock_guard lock(mutex);
    if (!first_error.empty()) return;
    std::string place = "topic " + topic;
    if (partition >= 0) place += ", partition " + std::to_string(partition);
    first_error = Describe(place, topic, error).message();
  }

  // After a fatal error the client only purges its queue; report why.
  Status Describe(const std::string& place, const std::string& topic,
                  rd_kafka_resp_err_t error) const {
    std::array<char, 512> reason{};
    const auto fatal = rd_kafka_fatal_error(client.get(), reason.data(), reason.size());
    return DescribeFailure({"producing to " + place, fatal ? fatal : error, reason.data(),
                            delivery_timeout, "WRITE on topic " + topic},
                           config, client.get());
  }

  Result<rd_kafka_topic_t*> Topic(const std::string& name) {
    std::lock_guard lock(mutex);
    TopicHandle& topic = topics[name];
    if (!topic) topic.reset(rd_kafka_topic_new(client.get(), name.c_str(), nullptr));
    if (topic) return topic.get();
    return Unavailable("topic ", name, ": ", rd_kafka_err2str(rd_kafka_last_error()));
  }

  void Count(const rd_kafka_message_t* slice, size_t size, int taken) {
    queued.Add(taken);
    size_t total = 0;
    for (size_t i = 0; i < size; ++i) {
      if (slice[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) total += slice[i].len + slice[i].key_len;
    }
    bytes.Add(static_cast<int64_t>(total));
  }

  // At most kSliceRows. Returns how many messages, from the first, were processed.
  Result<size_t> SendSlice(rd_kafka_topic_t* topic, std::span<const Message> messages) {
    rd_kafka_message_t slice[kSliceRows];
    std::transform(messages.begin(), messages.end(), slice, ToClientMessage);
    const int taken = rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                             slice, static_cast<int>(messages.size()));
    Count(slice, messages.size(), taken);
    if (static_cast<size_t>(taken) == messages.size()) return messages.size();
    for (size_t i = 0; i < messages.size(); ++i) {
      if (slice[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      if (slice[i].err == RD_KAFKA_RESP_ERR__FATAL) {
        const std::string name = rd_kafka_topic_name(topic);
        return Describe("topic " + name, name, RD_KAFKA_RESP_ERR__FATAL);
      }
      // Once the queue is full, the client refuses all remaining messages of the call.
      if (slice[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL) return i;
      queued.Add();
      CountFailed(rd_kafka_topic_name(topic), RD_KAFKA_PARTITION_UA, slice[i].err);
    }
    return messages.size();
  }
};

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::~Producer() = default;

Result<std::unique_ptr<Producer>> Producer::Open(const KafkaConfig& config,
                                                 const Properties& overrides) {
  Properties properties = ContractProperties();
  for (const auto& [key, value] : overrides) properties[key] = value;
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->delivery_timeout = DeliveryTimeout(config, properties);
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_t * conf, MakeConf(config, properties, impl.get()));
  rd_kafka_conf_set_dr_msg_cb(conf, &Impl::OnDelivery);
  ARROW_ASSIGN_OR_RAISE(impl->client, OpenClient(ClientKind::kProducer, conf));
  return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

Result<SendOutcome> Producer::Send(const std::string& topic, std::string_view key,
                                   std::span<const uint8_t> value) {
  const Message message{key, value};
  ARROW_ASSIGN_OR_RAISE(const int64_t taken, SendBatch(topic, {&message, 1}));
  return taken == 1 ? SendOutcome::kQueued : SendOutcome::kQueueFull;
}

Result<int64_t> Producer::SendBatch(const std::string& topic, std::span<const Message> messages) {
  ARROW_ASSIGN_OR_RAISE(rd_kafka_topic_t * handle, impl_->Topic(topic));
  int64_t dealt_with = 0;
  while (!messages.empty()) {
    const size_t rows = std::min(messages.size(), kSliceRows);
    ARROW_ASSIGN_OR_RAISE(const size_t taken, impl_->SendSlice(handle, messages.first(rows)));
    dealt_with += static_cast<int64_t>(taken);
    if (taken < rows) break;
    messages = messages.subspan(rows);
  }
  return dealt_with;
}

void Producer::Poll(Millis timeout) {
  rd_kafka_poll(impl_->client.get(), static_cast<int>(timeout.count()));
  impl_->CountReports();
}

Status Producer::Flush(Millis timeout) {
  rd_kafka_t* client = impl_->client.get();
  const auto flushed = rd_kafka_flush(client, static_cast<int>(timeout.count()));
  impl_->CountReports();
  if (flushed == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
  return Unavailable(GiveUp(), " messages were not acknowledged within ", timeout.count(),
                     " ms and were abandoned; `shopstream health` shows which broker is down");
}

int64_t Producer::GiveUp() {
  const int64_t failed_before = Total(impl_->failed);
  rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(impl_->client.get(), kPurgeMillis);
  impl_->CountReports();
  return Total(impl_->failed) - failed_before;
}

ProducerStats Producer::stats() const {
  ProducerStats stats;
  // In this order, so that a snapshot never shows more messages done than queued.
  stats.acknowledged = impl_->acknowledged.value();
  stats.failed = Total(impl_->failed);
  stats.queued = impl_->queued.value();
  std::lock_guard lock(impl_->mutex);
  stats.first_error = impl_->first_error;
  return stats;
}

}  // namespace shopstream::kafka
