#include "kafka/single_log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kafka/client.h"
#include "kafka/errors.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using RawMessageHandle = Handle<rd_kafka_message_t, &rd_kafka_message_destroy>;

constexpr int32_t kPartition = 0;

int ToInt(Millis timeout) { return static_cast<int>(timeout.count()); }

bool EndsTheReading(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
      return true;
    default:
      return IsUnreadableBatch(code);
  }
}

}  // namespace

struct LogReader::Impl {
  ClientHandle client;
  KafkaConfig config;
  std::string topic;

  Status Failure(const std::string& what, int code, const char* reason, Millis timeout) {
    return DescribeFailure({what, code, reason, timeout, "READ on topic " + topic}, config,
                           client.get());
  }
};

LogReader::LogReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LogReader::~LogReader() {
  if (impl_ != nullptr) rd_kafka_consumer_close(impl_->client.get());
}

Result<std::unique_ptr<LogReader>> LogReader::Open(const KafkaConfig& config,
                                                   const std::string& topic) {
  const Properties properties = {
      // Never joined, nothing is committed: the client requires a name for assign().
      {"group.id", "shopstream-log-reader"},
      {"enable.auto.commit", "false"},
      {"isolation.level", "read_committed"},
      {"enable.partition.eof", "true"},
      {"check.crcs", "true"},
      // A log that lost its start or its end is no longer the log that was read.
      {"auto.offset.reset", "error"},
      // The end of the log after a transaction marker is noticed by an empty fetch.
      {"fetch.wait.max.ms", "50"},
      {"fetch.error.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "1000"},
  };
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_s * conf, MakeConf(config, properties, nullptr));
  ARROW_ASSIGN_OR_RAISE(ClientHandle client, OpenClient(ClientKind::kConsumer, conf));
  rd_kafka_poll_set_consumer(client.get());
  PartitionListHandle start(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(start.get(), topic.c_str(), kPartition)->offset =
      RD_KAFKA_OFFSET_BEGINNING;
  if (const auto code = rd_kafka_assign(client.get(), start.get())) {
    return DescribeFailure({"reading topic " + topic, code, "", Millis{0}}, config, client.get());
  }
  auto impl = std::make_unique<Impl>(Impl{std::move(client), config, topic});
  return std::unique_ptr<LogReader>(new LogReader(std::move(impl)));
}

Result<std::optional<LogRecord>> LogReader::Next(Millis timeout) {
  RawMessageHandle message(rd_kafka_consumer_poll(impl_->client.get(), ToInt(timeout)));
  if (message == nullptr) return std::nullopt;
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    position_ = message->offset;
    return std::nullopt;
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (!EndsTheReading(message->err)) return std::nullopt;  // The client logs it and retries.
    return impl_->Failure("reading topic " + impl_->topic, message->err,
                          rd_kafka_message_errstr(message.get()), timeout);
  }
  LogRecord record;
  record.offset = message->offset;
  if (message->key != nullptr) {
    record.key.assign(static_cast<const char*>(message->key), message->key_len);
  }
  if (message->payload != nullptr) {
    record.value.emplace(static_cast<const char*>(message->payload), message->len);
  }
  position_ = message->offset + 1;
  return record;
}

Result<int64_t> LogReader::End(Millis timeout) {
  int64_t low = 0, high = 0;
  const auto code = rd_kafka_query_watermark_offsets(impl_->client.get(), impl_->topic.c_str(),
                                                     kPartition, &low, &high, ToInt(timeout));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return high;
  return impl_->Failure("asking for the end of topic " + impl_->topic, code, "", timeout);
}

struct LogWriter::Impl {
  ClientHandle client;
  KafkaConfig config;
  std::string topic, transactional_id;
  // The last offset and the first failure of the records being appended; written by delivery
  // reports, inside rd_kafka_flush.
  int64_t offset = -1;
  rd_kafka_resp_err_t delivery = RD_KAFKA_RESP_ERR_NO_ERROR;

  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto* impl = static_cast<Impl*>(opaque);
    impl->offset = std::max(impl->offset, message->offset);
    if (impl->delivery == RD_KAFKA_RESP_ERR_NO_ERROR) impl->delivery = message->err;
  }

  Status Failure(int code, const char* reason, Millis timeout) {
    const std::string needs = "WRITE on topic " + topic +
                              ", and WRITE and DESCRIBE on transactional id " + transactional_id;
    return DescribeFailure({"writing to topic " + topic, code, reason, timeout, needs}, config,
                           client.get());
  }
  Status Queue(const LogEntry& entry, Millis timeout);
  Status TooLarge(size_t bytes) const {
    return Status::Invalid("a record of ", bytes, " bytes is too large for topic ", topic,
                           ": raise its max.message.bytes, or write less");
  }
  // Fencing a writer purges its queue; report the fencing, not the purge.
  Status DeliveryFailure(Millis timeout) {
    std::array<char, 512> reason{};
    const auto fatal = rd_kafka_fatal_error(client.get(), reason.data(), reason.size());
    return fatal ? Failure(fatal, reason.data(), timeout) : Failure(delivery, "", timeout);
  }
  Status Check(rd_kafka_error_t* raw, Millis timeout) {
    ErrorHandle error(raw);
    if (error == nullptr) return Status::OK();
    return Failure(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()), timeout);
  }
};

LogWriter::LogWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LogWriter::~LogWriter() {
  // Abandons what is still queued: its transaction was not committed.
  rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

Result<std::unique_ptr<LogWriter>> LogWriter::Open(const KafkaConfig& config,
                                                   const std::string& topic,
                                                   const std::string& transactional_id,
                                                   Millis timeout) {
  const Properties properties = {
      {"transactional.id", transactional_id},
      // A dead writer holds back readers of committed records for at most this long.
      {"transaction.timeout.ms", "10000"},
      {"linger.ms", "0"},
      {"message.max.bytes", std::to_string(kMaxLogEntryBytes)},
      {"compression.type", "lz4"},
      // Being fenced is normal here, and is returned as a Status like any other error.
      {"log_level", "0"},
      {"reconnect.backoff.max.ms", "1000"},
  };
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->topic = topic;
  impl->transactional_id = transactional_id;
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_s * conf, MakeConf(config, properties, impl.get()));
  rd_kafka_conf_set_dr_msg_cb(conf, &Impl::OnDelivery);
  ARROW_ASSIGN_OR_RAISE(impl->client, OpenClient(ClientKind::kProducer, conf));
  ARROW_RETURN_NOT_OK(
      impl->Check(rd_kafka_init_transactions(impl->client.get(), ToInt(timeout)), timeout));
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(impl)));
}

Status LogWriter::Impl::Queue(const LogEntry& entry, Millis timeout) {
  const bool tombstone = !entry.value.has_value();
  const auto queued = rd_kafka_producev(
      client.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(kPartition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(entry.key.data(), entry.key.size()),
      RD_KAFKA_V_VALUE(tombstone ? nullptr : const_cast<char*>(entry.value->data()),
                       tombstone ? 0 : entry.value->size()),
      RD_KAFKA_V_END);
  if (queued == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return TooLarge(entry.value->size());
  return queued == RD_KAFKA_RESP_ERR_NO_ERROR ? Status::OK() : Failure(queued, "", timeout);
}

Result<int64_t> LogWriter::Append(const std::vector<LogEntry>& entries, Millis timeout) {
  rd_kafka_t* client = impl_->client.get();
  const auto deadline = BootClock::now() + timeout;
  impl_->offset = -1;
  impl_->delivery = RD_KAFKA_RESP_ERR_NO_ERROR;
  ARROW_RETURN_NOT_OK(impl_->Check(rd_kafka_begin_transaction(client), timeout));
  for (const LogEntry& entry : entries) ARROW_RETURN_NOT_OK(impl_->Queue(entry, timeout));
  if (const auto code = rd_kafka_flush(client, ToInt(timeout))) {
    return impl_->Failure(code, "", timeout);
  }
  if (impl_->delivery == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return impl_->TooLarge(entries.front().value.value_or("").size());
  }
  if (impl_->delivery != RD_KAFKA_RESP_ERR_NO_ERROR) return impl_->DeliveryFailure(timeout);
  const auto left = std::chrono::duration_cast<Millis>(deadline - BootClock::now());
  ARROW_RETURN_NOT_OK(
      impl_->Check(rd_kafka_commit_transaction(client, std::max(1, ToInt(left))), timeout));
  return impl_->offset;
}

}  // namespace shopstream::kafka
