#include "kafka/single_message.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

#include "kafka/client.h"
#include "kafka/errors.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

constexpr int kPollMillis = 100;

// What the client reports about the message.
struct Report {
  bool done = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  WrittenAt at;
};

void OnReport(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
  auto* report = static_cast<Report*>(opaque);
  report->done = true;
  report->error = message->err;
  report->at = {message->partition, message->offset};
}

rd_kafka_headers_t* ToHeaders(const Headers& headers) {
  rd_kafka_headers_t* out = rd_kafka_headers_new(headers.size());
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(out, name.data(), static_cast<ssize_t>(name.size()),
                        value ? value->data() : nullptr,
                        value ? static_cast<ssize_t>(value->size()) : 0);
  }
  return out;
}

// The client copies all but the headers, which it owns after success.
Status Enqueue(rd_kafka_t* client, const SingleMessage& message) {
  static constexpr char kNoBytes[] = "";  // A null pointer would be a null value.
  const auto data = [](const std::optional<std::string>& bytes) -> const void* {
    if (!bytes) return nullptr;
    return bytes->empty() ? kNoBytes : bytes->data();
  };
  rd_kafka_headers_t* headers = ToHeaders(message.headers);
  rd_kafka_vu_t parts[7] = {};
  parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  parts[0].u.cstr = message.topic.c_str();
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = message.partition.value_or(RD_KAFKA_PARTITION_UA);
  parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[2].u.i = RD_KAFKA_MSG_F_COPY;
  parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[3].u.mem.ptr = const_cast<void*>(data(message.value));
  parts[3].u.mem.size = message.value ? message.value->size() : 0;
  parts[4].vtype = RD_KAFKA_VTYPE_KEY;
  parts[4].u.mem.ptr = const_cast<void*>(data(message.key));
  parts[4].u.mem.size = message.key ? message.key->size() : 0;
  parts[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  parts[5].u.i64 = message.timestamp_ms.value_or(0);  // 0: now.
  parts[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[6].u.headers = headers;
  const ErrorHandle error(rd_kafka_produceva(client, parts, std::size(parts)));
  if (error == nullptr) return Status::OK();
  rd_kafka_headers_destroy(headers);
  return Status::Invalid("the message to topic ", message.topic,
                         " is refused: ", rd_kafka_error_string(error.get()));
}

}  // namespace

Result<WrittenAt> ProduceOne(const KafkaConfig& config, const SingleMessage& message,
                             Millis timeout) {
  Report report;
  const Properties properties = {{"enable.idempotence", "true"},
                                 {"acks", "all"},
                                 {"partitioner", "murmur2_random"},
                                 {"linger.ms", "0"},
                                 {"message.max.bytes", "1000000000"},  // The broker decides.
                                 {"message.timeout.ms", std::to_string(timeout.count())}};
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_t * conf, MakeConf(config, properties, &report));
  rd_kafka_conf_set_dr_msg_cb(conf, &OnReport);
  ARROW_ASSIGN_OR_RAISE(const ClientHandle client, OpenClient(ClientKind::kProducer, conf));
  ARROW_RETURN_NOT_OK(Enqueue(client.get(), message));
  const BootClock::time_point since = BootClock::now();
  while (!report.done && BootClock::now() - since < 2 * timeout) {
    if (IsHopeless(client.get(), since)) break;
    rd_kafka_poll(client.get(), kPollMillis);
  }
  if (report.done && report.error == RD_KAFKA_RESP_ERR_NO_ERROR) return report.at;
  const auto error = report.done ? report.error : RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
  // Its report would be delivered to a variable that no longer exists.
  rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client.get(), static_cast<int>(timeout.count()));
  return DescribeFailure({"producing to topic " + message.topic, error, "", timeout,
                          "WRITE on topic " + message.topic},
                         config, client.get());
}

}  // namespace shopstream::kafka
