#include "simulate/real_broker.h"

#include <librdkafka/rdkafka.h>

#include <map>
#include <utility>

#include "base/config.h"
#include "base/error_kind.h"
#include "base/runtime.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"

namespace shopstream::simulate {
namespace {

constexpr int kTimeoutMillis = 30'000;

struct ClientDeleter {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, ClientDeleter>;

Status ToStatus(rd_kafka_error_t* raw, const char* what) {
  if (raw == nullptr) return Status::OK();
  const std::string text = rd_kafka_error_string(raw);
  rd_kafka_error_destroy(raw);
  return Unavailable(what, ": ", text);
}

// One message at a time; the report of its delivery gives the offset.
struct Delivery {
  bool reported = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  int64_t offset = -1;
};

class RealBroker : public Broker {
 public:
  RealBroker(std::string bootstrap, std::string topic, std::unique_ptr<kafka::Admin> admin)
      : bootstrap_(std::move(bootstrap)), topic_(std::move(topic)), admin_(std::move(admin)) {}

  const std::string& topic() const override { return topic_; }

  Status CreateTopic(int partitions) override {
    ARROW_RETURN_NOT_OK(
        admin_->CreateTopic({.name = topic_, .partitions = partitions, .configs = {}}));
    return Await([this, partitions] { return admin_->EveryBrokerServes(topic_, partitions); });
  }

  Status DeleteTopic() override {
    ARROW_ASSIGN_OR_RAISE(rd_kafka_t * client, Producer(kPlain));
    rd_kafka_DeleteTopic_t* deletion = rd_kafka_DeleteTopic_new(topic_.c_str());
    ARROW_RETURN_NOT_OK(RunAdmin(client, [&](rd_kafka_queue_t* queue) {
      rd_kafka_DeleteTopics(client, &deletion, 1, nullptr, queue);
    }));
    rd_kafka_DeleteTopic_destroy(deletion);
    producers_.clear();  // They remember the topic.
    return Await([this]() -> Result<bool> {
      ARROW_ASSIGN_OR_RAISE(const auto topic, admin_->DescribeTopic(topic_, false));
      return !topic.has_value();
    });
  }

  Result<int64_t> Produce(int32_t partition, const std::string& value,
                          bool in_transaction) override {
    ARROW_ASSIGN_OR_RAISE(rd_kafka_t * client, Producer(in_transaction ? partition : kPlain));
    if (in_transaction && !open_[partition]) {
      ARROW_RETURN_NOT_OK(ToStatus(rd_kafka_begin_transaction(client), "begin"));
      open_[partition] = true;
    }
    Delivery delivery;
    const auto sent =
        rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(partition),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_OPAQUE(&delivery), RD_KAFKA_V_END);
    if (sent != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable("send: ", rd_kafka_err2str(sent));
    while (!delivery.reported) rd_kafka_poll(client, 100);  // Bounded by message.timeout.ms.
    if (delivery.error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Unavailable("delivery: ", rd_kafka_err2str(delivery.error));
    }
    return newest_[partition] = delivery.offset;
  }

  Status EndTransaction(int32_t partition, bool commit) override {
    ARROW_ASSIGN_OR_RAISE(rd_kafka_t * client, Producer(partition));
    open_[partition] = false;
    ARROW_RETURN_NOT_OK(
        commit ? ToStatus(rd_kafka_commit_transaction(client, kTimeoutMillis), "commit")
               : ToStatus(rd_kafka_abort_transaction(client, kTimeoutMillis), "abort"));
    // The coordinator has decided; the partition's leader writes the marker later.
    return Await([this, partition]() -> Result<bool> {
      const auto answers = admin_->OffsetSpans(topic_, {partition});
      ARROW_ASSIGN_OR_RAISE(const auto span, answers.front());
      return span.end == newest_[partition] + 2;
    });
  }

  Status Expire(int32_t partition, int64_t log_start) override {
    ARROW_ASSIGN_OR_RAISE(rd_kafka_t * client, Producer(kPlain));
    rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(offsets, topic_.c_str(), partition)->offset = log_start;
    rd_kafka_DeleteRecords_t* deletion = rd_kafka_DeleteRecords_new(offsets);
    rd_kafka_topic_partition_list_destroy(offsets);
    const Status status = RunAdmin(client, [&](rd_kafka_queue_t* queue) {
      rd_kafka_DeleteRecords(client, &deletion, 1, nullptr, queue);
    });
    rd_kafka_DeleteRecords_destroy(deletion);
    return status;
  }

  Result<std::unique_ptr<kafka::RecordSource>> OpenSource(bool read_committed) override {
    return kafka::Consumer::Open(Config(), {.read_committed = read_committed});
  }
  std::unique_ptr<kafka::TopicMetadata> OpenMetadata() override {
    return *kafka::Admin::Open(Config());
  }

 private:
  static constexpr int32_t kPlain = -1;  // The producer without transactions.

  KafkaConfig Config() const {
    KafkaConfig config;
    config.bootstrap_servers = bootstrap_;
    config.topic = topic_;
    config.group = topic_;
    return config;
  }

  static Status Await(const std::function<Result<bool>()>& happened) {
    const auto deadline = BootClock::now() + Millis{kTimeoutMillis};
    while (BootClock::now() < deadline) {
      ARROW_ASSIGN_OR_RAISE(const bool yes, happened());
      if (yes) return Status::OK();
      Sleep(Millis{100});
    }
    return Unavailable("the brokers did not learn of the change in time");
  }

  // A transactional one for each partition, so that transactions are independent.
  Result<rd_kafka_t*> Producer(int32_t partition) {
    Client& client = producers_[partition];
    if (client != nullptr) return client.get();
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::map<std::string, std::string> settings = {
        {"bootstrap.servers", bootstrap_}, {"message.timeout.ms", "30000"}, {"linger.ms", "0"}};
    if (partition != kPlain) {
      settings["transactional.id"] = topic_ + "-" + std::to_string(partition);
    }
    char reason[512];
    for (const auto& [name, value] : settings) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof(reason)) !=
          RD_KAFKA_CONF_OK) {
        return Status::Invalid(reason);
      }
    }
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
      *static_cast<Delivery*>(message->_private) = {true, message->err, message->offset};
    });
    client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason)));
    if (client == nullptr) return Status::Invalid(reason);
    if (partition != kPlain) {
      ARROW_RETURN_NOT_OK(
          ToStatus(rd_kafka_init_transactions(client.get(), kTimeoutMillis), "transactions"));
    }
    return client.get();
  }

  static Status RunAdmin(rd_kafka_t* client, const std::function<void(rd_kafka_queue_t*)>& call) {
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
    call(queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kTimeoutMillis);
    Status status;
    if (event == nullptr) {
      status = Unavailable("no answer");
    } else if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      status = Unavailable(rd_kafka_event_error_string(event));
    }
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return status;
  }

  const std::string bootstrap_, topic_;
  const std::unique_ptr<kafka::Admin> admin_;
  std::map<int32_t, Client> producers_;
  std::map<int32_t, bool> open_;
  std::map<int32_t, int64_t> newest_;  // The offset of the record sent last, by partition.
};

}  // namespace

Result<std::unique_ptr<Broker>> OpenRealBroker(const std::string& bootstrap_servers,
                                               const std::string& topic) {
  KafkaConfig config;
  config.bootstrap_servers = bootstrap_servers;
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(config));
  return std::make_unique<RealBroker>(bootstrap_servers, topic, std::move(admin));
}

}  // namespace shopstream::simulate
