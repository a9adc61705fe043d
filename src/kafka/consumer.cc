#include "kafka/consumer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "base/error_kind.h"
#include "base/log.h"
#include "kafka/errors.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

constexpr char kAssignmentStrategy[] = "cooperative-sticky";
constexpr int kValidateMillis = 5000;

PartitionListHandle ToList(const std::string& topic, const std::vector<PartitionOffset>& offsets) {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const PartitionOffset& item : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), item.partition)->offset =
        item.offset;
  }
  return list;
}

// The list that the partition belongs to frees the copy.
void SetMetadata(rd_kafka_t* client, const std::string& text, rd_kafka_topic_partition_t* one) {
  if (text.empty()) return;
  one->metadata = rd_kafka_mem_malloc(client, text.size());
  one->metadata_size = text.size();
  std::memcpy(one->metadata, text.data(), text.size());
}

Status FromCall(rd_kafka_error_t* raw, std::string_view what, const std::string& topic) {
  ErrorHandle error(raw);
  if (error == nullptr) return Status::OK();
  return Unavailable("Cannot ", what, " partitions of ", topic, ": ",
                     rd_kafka_error_string(error.get()));
}

std::optional<Bytes> ToBytes(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  return Bytes(static_cast<const uint8_t*>(data), size);
}

RecordView ToView(const rd_kafka_message_t* message) {
  return {.partition = message->partition,
          .offset = message->offset,
          .timestamp_ms = rd_kafka_message_timestamp(message, nullptr),
          .key = ToBytes(message->key, message->key_len),
          .value = ToBytes(message->payload, message->len),
          .leader_epoch = rd_kafka_message_leader_epoch(message),
          .message = message};
}

// The client reports a log that was cut like an offset that is out of range; only the reason in
// the text differs.
bool IsTruncation(const rd_kafka_message_t* message) {
  const std::string_view reason = rd_kafka_message_errstr(message);
  return reason.find(rd_kafka_err2str(RD_KAFKA_RESP_ERR__LOG_TRUNCATION)) != reason.npos;
}

// With Kafka's new group protocol (KIP-848) the broker decides about both, and the client refuses
// a configuration that has them.
bool BrokerAssigns(const KafkaConfig& config) {
  const auto protocol = config.security.find("group.protocol");
  return protocol != config.security.end() && protocol->second == "consumer";
}

}  // namespace

void MessageDeleter::operator()(rd_kafka_message_s* message) const {
  rd_kafka_message_destroy(message);
}

Headers ReadHeaders(const RecordView& record) {
  Headers headers;
  if (record.message == nullptr) return headers;
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(record.message, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(raw, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    std::optional<std::string> text;
    if (value != nullptr) text.emplace(static_cast<const char*>(value), size);
    headers.emplace_back(name, std::move(text));
  }
  return headers;
}

struct Consumer::Impl {
  KafkaConfig config;
  std::string topic;
  ConsumerOptions options;
  ClientHandle client;
  QueueHandle queue;
  std::vector<rd_kafka_message_t*> polled;
  std::vector<Rebalance> rebalances;
  // Their last batch was corrupt; what the client delivers of them is dropped until they are
  // assigned again, because it skips such a batch and may skip too much.
  std::set<int32_t> corrupt;
  bool closing = false;
  bool reachable = true;  // As of the last statistics.

  // Runs inside a poll. Only brokers have states in capitals.
  void OnStatistics(std::string_view json) {
    reachable = json.find(R"("state":"UP")") != std::string_view::npos;
  }

  // Runs inside a poll. Only records the event: the loop flushes and answers between two polls,
  // when no record is half processed.
  void OnRebalance(rd_kafka_resp_err_t kind, const rd_kafka_topic_partition_list_t* list) {
    if (closing) {
      rd_kafka_assign(client.get(), nullptr);
      return;
    }
    Rebalance& rebalance = rebalances.emplace_back();
    rebalance.kind = kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? Rebalance::Kind::kAssign
                     : rd_kafka_assignment_lost(client.get())     ? Rebalance::Kind::kLost
                                                                  : Rebalance::Kind::kRevoke;
    for (int i = 0; i < list->cnt; ++i) rebalance.partitions.push_back(list->elems[i].partition);
  }

  Status Sort(rd_kafka_message_t* raw, PollResult* out);
  void AddCorrupt(const rd_kafka_message_t* message, PollResult* out);
  void FindEpochsOfEnds(PollResult* out);
};

// Files one polled message: as a record, or as an event of its partition.
Status Consumer::Impl::Sort(rd_kafka_message_t* raw, PollResult* out) {
  MessageHandle message(raw);
  if (corrupt.contains(raw->partition)) return Status::OK();
  if (IsUnreadableBatch(raw->err)) {
    AddCorrupt(raw, out);
    return Status::OK();
  }
  switch (raw->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      out->batch.records.push_back(ToView(raw));
      out->batch.messages.push_back(std::move(message));
      return Status::OK();
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      out->ends.push_back({raw->partition, raw->offset});
      return Status::OK();
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      (IsTruncation(raw) ? out->truncated : out->out_of_range).push_back(raw->partition);
      return Status::OK();
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      out->topic_gone = true;
      return Status::OK();
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      if (options.outside_group) return Status::OK();  // The client asks for a coordinator anyway.
      [[fallthrough]];
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return DescribeFailure(
          {"reading topic " + topic, raw->err, rd_kafka_err2str(raw->err), Millis{0},
           raw->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
               ? "READ on group " + config.group
               : "READ on topic " + topic},
          config, client.get());
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
      return Status::Invalid("Group ", config.group,
                             " has members that are not `shopstream ingest`: they ",
                             "do not use the assignment strategy ", kAssignmentStrategy,
                             ". Stop them, or set a different kafka.group.");
    default:
      Log::Warn("Kafka consumer of {}: {}", topic, rd_kafka_message_errstr(raw));
      return Status::OK();
  }
}

void Consumer::Impl::AddCorrupt(const rd_kafka_message_t* message, PollResult* out) {
  corrupt.insert(message->partition);
  const char* reason = rd_kafka_message_errstr(message);
  out->corrupt.push_back({message->partition, message->offset, reason});
}

// The client's position is behind the markers at the end of the log; it keeps their epoch.
void Consumer::Impl::FindEpochsOfEnds(PollResult* out) {
  if (out->ends.empty()) return;
  PartitionListHandle list = ToList(topic, out->ends);
  if (rd_kafka_position(client.get(), list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  for (int i = 0; i < list->cnt; ++i) {
    PartitionOffset& end = out->ends[i];
    const rd_kafka_topic_partition_t& position = list->elems[i];
    if (position.offset != end.offset) continue;
    end.leader_epoch = rd_kafka_topic_partition_get_leader_epoch(&position);
  }
}

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Consumer::~Consumer() { Close(); }

Result<std::unique_ptr<Consumer>> Consumer::Open(const KafkaConfig& config,
                                                 const ConsumerOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->topic = config.topic;
  impl->options = options;
  impl->polled.resize(options.poll_records);
  Properties properties = {
      {"group.id", config.group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},  // Start offsets come from the lake, never from a default.
      {"enable.partition.eof", "true"},
      {"check.crcs", "true"},
      {"isolation.level", options.read_committed ? "read_committed" : "read_uncommitted"},
      {"queued.min.messages", "10000000"},  // The bound is in bytes.
      {"queued.max.messages.kbytes", std::to_string(options.queue_kbytes)},
      // A full queue is checked again after this time; the client's default sleeps 1 s.
      {"fetch.queue.backoff.ms", "2"},
      {"fetch.message.max.bytes", std::to_string(options.fetch_kbytes << 10)},
      {"fetch.wait.max.ms", std::to_string(options.fetch_wait_ms)},
      // Notices within seconds, not minutes, that a topic was deleted and created again.
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"statistics.interval.ms", "5000"},  // See Impl::OnStatistics.
  };
  if (!BrokerAssigns(config)) {
    properties["partition.assignment.strategy"] = kAssignmentStrategy;
    properties["session.timeout.ms"] = std::to_string(options.session_timeout_ms);
  }
  if (!options.client_id.empty()) properties["client.id"] = options.client_id;
  if (!config.group_instance_id.empty()) {
    properties["group.instance.id"] = config.group_instance_id;
  }
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_t * conf, MakeConf(config, properties, impl.get()));
  rd_kafka_conf_set_rebalance_cb(
      conf, [](rd_kafka_t*, rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t* list,
               void* opaque) { static_cast<Impl*>(opaque)->OnRebalance(kind, list); });
  rd_kafka_conf_set_stats_cb(conf, [](rd_kafka_t*, char* json, size_t size, void* opaque) {
    static_cast<Impl*>(opaque)->OnStatistics({json, size});
    return 0;  // The client frees the text.
  });
  ARROW_ASSIGN_OR_RAISE(impl->client, OpenClient(ClientKind::kConsumer, conf));
  rd_kafka_poll_set_consumer(impl->client.get());
  impl->queue.reset(rd_kafka_queue_get_consumer(impl->client.get()));
  return std::unique_ptr<Consumer>(new Consumer(std::move(impl)));
}

Status Consumer::Subscribe() {
  PartitionListHandle topics = ListPartitions(impl_->topic, {RD_KAFKA_PARTITION_UA});
  rd_kafka_resp_err_t error = rd_kafka_subscribe(impl_->client.get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Unavailable("Cannot subscribe to ", impl_->topic, ": ", rd_kafka_err2str(error));
  }
  return Status::OK();
}

Result<PollResult> Consumer::Poll(Millis timeout) {
  PollResult result;
  ssize_t count =
      rd_kafka_consume_batch_queue(impl_->queue.get(), static_cast<int>(timeout.count()),
                                   impl_->polled.data(), impl_->polled.size());
  result.batch.records.reserve(std::max<ssize_t>(count, 0));
  result.batch.messages.reserve(std::max<ssize_t>(count, 0));
  Status refused;
  for (ssize_t i = 0; i < count; ++i) refused &= impl_->Sort(impl_->polled[i], &result);
  ARROW_RETURN_NOT_OK(refused);
  impl_->FindEpochsOfEnds(&result);
  char reason[512];
  const rd_kafka_resp_err_t fatal =
      rd_kafka_fatal_error(impl_->client.get(), reason, sizeof(reason));
  if (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
    return Unavailable("Another consumer joined group ", impl_->config.group, " as \"",
                       impl_->config.group_instance_id,
                       "\" and replaced this one: give each its own kafka.group_instance_id");
  }
  if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Unavailable("The Kafka consumer of ", impl_->topic, " had to stop: ", reason);
  }
  result.rebalances = std::exchange(impl_->rebalances, {});
  return result;
}

Status Consumer::Assign(const std::vector<PartitionOffset>& start) {
  for (const PartitionOffset& item : start) impl_->corrupt.erase(item.partition);
  return FromCall(
      rd_kafka_incremental_assign(impl_->client.get(), ToList(impl_->topic, start).get()), "assign",
      impl_->topic);
}

Status Consumer::Unassign(const std::vector<int32_t>& partitions) {
  return FromCall(rd_kafka_incremental_unassign(impl_->client.get(),
                                                ListPartitions(impl_->topic, partitions).get()),
                  "give up", impl_->topic);
}

Status Consumer::Restart(const std::vector<PartitionOffset>& start) {
  std::vector<int32_t> partitions;
  for (const PartitionOffset& item : start) partitions.push_back(item.partition);
  ARROW_RETURN_NOT_OK(Unassign(partitions));
  return Assign(start);
}

Status Consumer::Validate(const PartitionOffset& at) {
  PartitionListHandle list = ToList(impl_->topic, std::vector<PartitionOffset>{at});
  rd_kafka_topic_partition_set_leader_epoch(&list->elems[0], at.leader_epoch);
  ARROW_RETURN_NOT_OK(
      FromCall(rd_kafka_seek_partitions(impl_->client.get(), list.get(), kValidateMillis),
               "compare the epochs of", impl_->topic));
  if (list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
  return Unavailable("Cannot compare the epochs of ", impl_->topic, " [", at.partition,
                     "]: ", rd_kafka_err2str(list->elems[0].err));
}

Status Consumer::Pause(const std::vector<int32_t>& partitions) {
  rd_kafka_resp_err_t error = rd_kafka_pause_partitions(
      impl_->client.get(), ListPartitions(impl_->topic, partitions).get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
  return Unavailable("Cannot pause ", impl_->topic, ": ", rd_kafka_err2str(error));
}

Status Consumer::Resume(const std::vector<int32_t>& partitions) {
  rd_kafka_resp_err_t error = rd_kafka_resume_partitions(
      impl_->client.get(), ListPartitions(impl_->topic, partitions).get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
  return Unavailable("Cannot resume ", impl_->topic, ": ", rd_kafka_err2str(error));
}

void Consumer::CommitForDisplay(const std::vector<PartitionOffset>& offsets) {
  const PartitionListHandle list = ToList(impl_->topic, offsets);
  for (int i = 0; i < list->cnt; ++i) {
    SetMetadata(impl_->client.get(), impl_->options.client_id, &list->elems[i]);
  }
  rd_kafka_resp_err_t error = rd_kafka_commit(impl_->client.get(), list.get(), /*async=*/1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Log::Debug("Kafka's copy of the offsets of {} was not updated: {}", impl_->topic,
               rd_kafka_err2str(error));
  }
}

int64_t Consumer::CachedEnd(int32_t partition) const {
  int64_t low = -1, high = -1;
  rd_kafka_resp_err_t error = rd_kafka_get_watermark_offsets(
      impl_->client.get(), impl_->topic.c_str(), partition, &low, &high);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

std::string Consumer::Unreachable() const {
  if (impl_->reachable) return "";
  const auto trouble = LastTrouble(impl_->client.get());
  return trouble ? trouble->address + ": " + trouble->reason : "no connection";
}

void Consumer::Close() {
  if (impl_->closing) return;
  impl_->closing = true;
  rd_kafka_consumer_close(impl_->client.get());
}

}  // namespace shopstream::kafka
