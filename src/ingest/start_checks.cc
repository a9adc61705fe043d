#include "ingest/start_checks.h"

#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "kafka/errors.h"
#include "lake/delta/table.h"
#include "tables/table_topic.h"

namespace shopstream::ingest {
namespace {

constexpr char kClientIdPrefix[] = "shopstream-";
constexpr Millis kFirstLook{5'000};
constexpr Millis kBetweenLooks{30'000};
constexpr Millis kBetweenQuestions{500};

}  // namespace

Status CheckTopicAndTable(kafka::TopicMetadata* topics, const KafkaConfig& config,
                          lake::ObjectStore* store, const std::string& bronze_table) {
  const std::string& topic = config.topic;
  const auto found = topics->DescribeTopic(topic, false);
  if (!found.ok() && KindOf(found.status()) != ErrorKind::kUnavailable) return found.status();
  if (found.ok() && !*found) return kafka::NoSuchTopic(topic, config.bootstrap_servers);
  if (!found.ok()) Log::Warn("Waiting for Kafka: {}", found.status().message());
  const auto table = lake::Table::Open(store, bronze_table);
  // The table is absent, or the next open reports the reason.
  if (!table.ok()) return Status::OK();
  return tables::CheckFilledFrom(*(*table)->snapshot(), bronze_table, topic,
                                 found.ok() ? (*found)->id : "");
}

std::string ClientIdOf(const std::string& table_id) { return kClientIdPrefix + table_id; }

bool IsLakeClient(std::string_view client_id) { return client_id.starts_with(kClientIdPrefix); }

GroupGuard::GroupGuard(std::string group, std::string client_id, ListGroup list)
    : group_(std::move(group)),
      client_id_(std::move(client_id)),
      list_(std::move(list)),
      next_look_(BootClock::now() + kFirstLook) {}

Result<std::optional<kafka::GroupMember>> GroupGuard::FindOther() const {
  ARROW_ASSIGN_OR_RAISE(const auto members, list_());
  for (const kafka::GroupMember& member : members) {
    if (IsLakeClient(member.client_id) && member.client_id != client_id_) {
      return member;
    }
  }
  return std::nullopt;
}

Status GroupGuard::Refuse(const kafka::GroupMember& other) const {
  return Status::Invalid("group ", group_, " is read for another lake: its member ", other.name,
                         " has the client id ", other.client_id, ", this lake's is ", client_id_,
                         ". Each lake would get a part of the records: stop the other ingest, or ",
                         "set a different kafka.group for one of them");
}

Status GroupGuard::AwaitOthers(Millis patience, const StopToken& stop) {
  const BootClock::time_point begin = BootClock::now();
  for (bool first = true;; first = false) {
    const auto other = FindOther();
    if (!other.ok()) return IsUnavailable(other.status()) ? Status::OK() : other.status();
    if (!*other) return Status::OK();
    if (BootClock::now() - begin >= patience) return Refuse(**other);
    if (first) {
      Log::Info("Group {} has a member of another lake, {}: if it has died, it leaves within {}.",
                group_, (*other)->name, FormatMillis(patience.count()));
    }
    if (stop.WaitFor(kBetweenQuestions))
      return Status::Cancelled("stopped while waiting for the other lake's ingest to leave");
  }
}

Status GroupGuard::Look(BootClock::time_point now) {
  if (now < next_look_) return Status::OK();
  next_look_ = now + kBetweenLooks;
  const auto other = FindOther();
  if (!other.ok()) {
    Log::Debug("The members of group {} are not known: {}", group_, other.status().message());
    return Status::OK();
  }
  return *other && (*other)->client_id < client_id_ ? Refuse(**other) : Status::OK();
}

}  // namespace shopstream::ingest
