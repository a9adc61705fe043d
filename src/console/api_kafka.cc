#include "console/api_kafka.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "avro/shown_value.h"
#include "base/error_kind.h"
#include "base/json.h"
#include "console/kafka_admin.h"
#include "console/new_message.h"
#include "console/not_allowed.h"
#include "console/record_search.h"
#include "console/topic_answers.h"
#include "kafka/absent_topic.h"
#include "kafka/errors.h"
#include "registry/client.h"
#include "registry/subject.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr Millis kReadTimeout{5000};

// `produce` writes to a topic, which has to exist: brokers may create it silently.
class Topics {
 public:
  explicit Topics(const World& world)
      : config_(world.config), sampler_(world.sampler), admin_(world.config.kafka) {}

  Result<ordered_json> Brokers() const { return BrokersAnswer(sampler_.Latest()); }
  Result<ordered_json> List() const {
    return TopicsAnswer(sampler_.Latest(), kafka::Principal(config_.kafka));
  }
  Result<ordered_json> Show(const std::string& name);
  Result<Receipt> Produce(const std::string& name, const nlohmann::json& body);

 private:
  Status Encode(const nlohmann::json& value, const std::string& subject,
                kafka::SingleMessage* message) const;
  Status CopyRecord(const NewMessage& asked, kafka::SingleMessage* message) const;

  const Config& config_;
  observe::Sampler& sampler_;
  KafkaAdmin admin_;
};

Result<ordered_json> Topics::Show(const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, admin_.Get());
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name, /*with_configs=*/false));
  if (!topic) {
    return ordered_json{
        {"topic", name},
        {"exists", false},
        {"reason", kafka::DescribeAbsence(name, config_.kafka, admin.get()).message()},
        {"remedy", "shopstream topics create " + name}};
  }
  const auto spans = admin->OffsetSpans(name, kafka::AllPartitions(topic->partitions.size()));
  ordered_json answer = TopicAnswer(*topic, spans, sampler_.Latest());
  const auto with_configs = admin->DescribeTopic(name, /*with_configs=*/true);
  if (with_configs.ok() && with_configs->has_value()) {
    answer["configuration"] = ConfigurationAnswer(**with_configs);
  } else {
    const Status why =
        with_configs.ok() ? Gone("the topic was deleted meanwhile") : with_configs.status();
    answer["configuration"] = nullptr;
    answer["configuration_unknown"] = why.message();
    if (KindOf(why) == ErrorKind::kRefused) answer["configuration_state"] = "not_allowed";
  }
  return answer;
}

// With the newest schema of the subject, or of the topic's.
Status Topics::Encode(const nlohmann::json& value, const std::string& subject,
                      kafka::SingleMessage* message) const {
  ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(config_.registry));
  std::string name = subject;
  if (name.empty()) {
    auto naming = registry::SubjectNaming::From(config_.registry);
    if (message->topic != config_.kafka.topic) naming.subject.clear();
    if (naming.needs_record()) {
      return Status::Invalid(
          "the subjects are named by records (registry.subject_strategy): name "
          "the message's 'subject'");
    }
    name = registry::SubjectFor(naming, message->topic, "");
  }
  ARROW_ASSIGN_OR_RAISE(const auto latest, registry->Latest(name));
  if (latest.schema_type != "AVRO") {
    return Status::Invalid("the schema of subject ", name, " is ", latest.schema_type,
                           ", not Avro: give value_text or value_hex");
  }
  ARROW_ASSIGN_OR_RAISE(const auto schema, avro::Schema::ParseKept(latest.schema));
  const auto encoded = avro::EncodeShown(value, schema);
  if (!encoded.ok()) {
    return encoded.status().WithMessage("the value does not fit version ", latest.version,
                                        " of subject ", name, ": ", encoded.status().message());
  }
  message->value = Framed(latest.id, *encoded);
  return Status::OK();
}

Status Topics::CopyRecord(const NewMessage& asked, kafka::SingleMessage* message) const {
  const auto text = [](const std::optional<kafka::Bytes>& bytes) {
    return bytes ? std::optional<std::string>(records::AsText(*bytes)) : std::nullopt;
  };
  ARROW_ASSIGN_OR_RAISE(
      const bool found,
      ReadRecord(config_.kafka, message->topic, asked.resend_partition, *asked.resend_offset,
                 kReadTimeout, [&](const kafka::RecordView& record) {
                   message->key = text(record.key);
                   message->value = text(record.value);
                   message->headers = kafka::ReadHeaders(record);
                 }));
  if (!found) {
    return Gone("topic ", message->topic, " has no record at offset ", *asked.resend_offset,
                " of partition ", asked.resend_partition);
  }
  if (!message->partition) message->partition = asked.resend_partition;
  return Status::OK();
}

Result<Receipt> Topics::Produce(const std::string& name, const nlohmann::json& body) {
  ARROW_ASSIGN_OR_RAISE(const NewMessage asked, ReadNewMessage(name, body));
  kafka::SingleMessage message = asked.message;
  ARROW_ASSIGN_OR_RAISE(const auto admin, admin_.Get());
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name, false));
  if (!topic) return kafka::DescribeAbsence(name, config_.kafka, admin.get());
  const auto partitions = static_cast<int32_t>(topic->partitions.size());
  if (message.partition.value_or(0) >= partitions || asked.resend_partition >= partitions) {
    return Status::Invalid("topic ", name, " has the partitions 0 to ", partitions - 1);
  }
  if (asked.encode) ARROW_RETURN_NOT_OK(Encode(body["value"], asked.subject, &message));
  if (asked.resend_offset) ARROW_RETURN_NOT_OK(CopyRecord(asked, &message));
  ARROW_ASSIGN_OR_RAISE(const kafka::WrittenAt at, kafka::ProduceOne(config_.kafka, message));
  Receipt receipt;
  receipt.what = asked.resend_offset ? "sent a message again" : "produced a message";
  receipt.subject = name;
  if (asked.resend_offset) {
    *receipt.before = {{"partition", asked.resend_partition}, {"offset", *asked.resend_offset}};
  }
  *receipt.after = {{"partition", at.partition}, {"offset", at.offset}};
  *receipt.answer = {{"topic", name}, {"partition", at.partition}, {"offset", at.offset}};
  return receipt;
}

}  // namespace

std::vector<ApiRoute> KafkaRoutes(const World& world) {
  const auto topics = std::make_shared<Topics>(world);
  return {
      {"GET", "/api/brokers", "Brokers with their state and what they lead",
       Read([topics](const ApiRequest&) { return topics->Brokers(); })},
      {"GET", "/api/topics", "Topics with lag, rates and under-replicated partitions",
       Read([topics](const ApiRequest&) { return topics->List(); })},
      {"GET", "/api/topics/*", "A topic's partitions and configuration",
       Read([topics](const ApiRequest& request) {
         return AsState(topics->Show(request.http.captures.at(0)));
       })},
      {"POST", "/api/topics/*/records", "Produces one message, or sends one again",
       Change([topics](const ApiRequest& request) {
         return topics->Produce(request.http.captures.at(0), request.body);
       })},
  };
}

}  // namespace shopstream::console
