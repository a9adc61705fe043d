#include "kafka/producer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error_kind.h"
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
  std::mutex mutex;  // Guards topics and first_error.
  KafkaConfig config;
  Millis delivery_timeout = kDeliveryTimeout;
  ClientHandle client;  // Destroyed after its topics.
  std::map<std::string, TopicHandle> topics;
  std::string first_error;

  std::atomic<int64_t> queued{0};
  std::atomic<int64_t> acknowledged{0};
  std::atomic<int64_t> failed{0};

  // Called by the client from within Poll and Flush, on their thread.
  static void OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    auto* impl = static_cast<Impl*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      impl->acknowledged.fetch_add(1, std::memory_order_relaxed);
    } else {
      impl->CountFailed(rd_kafka_topic_name(message->rkt), message->partition, message->err);
    }
  }

  void CountFailed(const std::string& topic, int32_t partition, rd_kafka_resp_err_t error) {
    failed.fetch_add(1, std::memory_order_relaxed);
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

  // At most kSliceRows. Returns how many messages, from the first, were processed.
  Result<size_t> SendSlice(rd_kafka_topic_t* topic, std::span<const Message> messages) {
    rd_kafka_message_t slice[kSliceRows];
    std::transform(messages.begin(), messages.end(), slice, ToClientMessage);
    const int taken = rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                             slice, static_cast<int>(messages.size()));
    queued.fetch_add(taken, std::memory_order_relaxed);
    if (static_cast<size_t>(taken) == messages.size()) return messages.size();
    for (size_t i = 0; i < messages.size(); ++i) {
      if (slice[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      if (slice[i].err == RD_KAFKA_RESP_ERR__FATAL) {
        const std::string name = rd_kafka_topic_name(topic);
        return Describe("topic " + name, name, RD_KAFKA_RESP_ERR__FATAL);
      }
      // Once the queue is full, the client refuses all remaining messages of the call.
      if (slice[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL) return i;
      queued.fetch_add(1, std::memory_order_relaxed);
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
}

Status Producer::Flush(Millis timeout) {
  rd_kafka_t* client = impl_->client.get();
  if (rd_kafka_flush(client, static_cast<int>(timeout.count())) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Status::OK();
  }
  return Unavailable(GiveUp(), " messages were not acknowledged within ", timeout.count(),
                     " ms and were abandoned; `shopstream health` shows which broker is down");
}

int64_t Producer::GiveUp() {
  const int64_t failed_before = impl_->failed.load();
  rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(impl_->client.get(), kPurgeMillis);
  return impl_->failed.load() - failed_before;
}

ProducerStats Producer::stats() const {
  ProducerStats stats;
  // In this order, so that a snapshot never shows more messages done than queued.
  stats.acknowledged = impl_->acknowledged.load();
  stats.failed = impl_->failed.load();
  stats.queued = impl_->queued.load();
  std::lock_guard lock(impl_->mutex);
  stats.first_error = impl_->first_error;
  return stats;
}

}  // namespace shopstream::kafka
