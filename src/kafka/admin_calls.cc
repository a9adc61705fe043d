#include "kafka/admin_calls.h"

#include <array>
#include <utility>

#include "kafka/errors.h"

namespace shopstream::kafka {
namespace {

using OptionsHandle = Handle<rd_kafka_AdminOptions_t, &rd_kafka_AdminOptions_destroy>;

Result<OptionsHandle> NewOptions(rd_kafka_t* client, rd_kafka_admin_op_t op, int32_t broker,
                                 Millis timeout) {
  OptionsHandle options(rd_kafka_AdminOptions_new(client, op));
  std::array<char, 256> reason{};
  auto code = rd_kafka_AdminOptions_set_request_timeout(
      options.get(), static_cast<int>(timeout.count()), reason.data(), reason.size());
  const bool changes_topics = op == RD_KAFKA_ADMIN_OP_CREATETOPICS ||
                              op == RD_KAFKA_ADMIN_OP_DELETETOPICS ||
                              op == RD_KAFKA_ADMIN_OP_CREATEPARTITIONS;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR && changes_topics) {
    code = rd_kafka_AdminOptions_set_operation_timeout(
        options.get(), static_cast<int>(timeout.count()), reason.data(), reason.size());
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR && broker >= 0) {
    code = rd_kafka_AdminOptions_set_broker(options.get(), broker, reason.data(), reason.size());
  }
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Status::Invalid(reason.data());
  if (op == RD_KAFKA_ADMIN_OP_LISTOFFSETS) {
    ErrorHandle error(rd_kafka_AdminOptions_set_isolation_level(
        options.get(), RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
    if (error != nullptr) return Status::Invalid(rd_kafka_error_string(error.get()));
  }
  return options;
}

}  // namespace

AdminCalls::AdminCalls(const KafkaConfig& config, Millis timeout, ClientHandle client)
    : config_(config), timeout_(timeout), client_(std::move(client)) {}

Result<AdminCalls> AdminCalls::Open(const KafkaConfig& config, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_s * conf, MakeConf(config, {}, nullptr));
  ARROW_ASSIGN_OR_RAISE(ClientHandle client, OpenClient(ClientKind::kProducer, conf));
  return AdminCalls(config, timeout, std::move(client));
}

Result<EventHandle> AdminCalls::Call(rd_kafka_admin_op_t op, int32_t broker, const Deed& what,
                                     const Request& request, rd_kafka_resp_err_t expected) {
  ARROW_ASSIGN_OR_RAISE(const OptionsHandle options, NewOptions(client(), op, broker, timeout_));
  const QueueHandle queue(rd_kafka_queue_new(client()));
  request(options.get(), queue.get());
  // The request's own timeout produces the event; allow one more second for its delivery.
  EventHandle event = AwaitEvent(client(), queue.get(), timeout_ + Millis{1000});
  if (event == nullptr) return Failure(what, RD_KAFKA_RESP_ERR__TIMED_OUT);
  const auto code = rd_kafka_event_error(event.get());
  if (code && code != expected) {
    return Failure(what, code, rd_kafka_event_error_string(event.get()));
  }
  return event;
}

Status AdminCalls::Failure(const Deed& deed, int code, const char* reason) const {
  return DescribeFailure({deed.what, code, reason == nullptr ? "" : reason, timeout_, deed.needs},
                         config_, client());
}

}  // namespace shopstream::kafka
