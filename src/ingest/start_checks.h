#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "base/stop.h"
#include "kafka/group_members.h"
#include "kafka/topic_metadata.h"
#include "lake/store/object_store.h"

// Checks for mistakes that make an ingest read the wrong records, or only some of them.
namespace shopstream::ingest {

// The topic must exist, and the Bronze table, if it exists, must not be another topic's. OK if no
// broker answers: the loop waits for them.
Status CheckTopicAndTable(kafka::TopicMetadata* topics, const KafkaConfig& config,
                          lake::ObjectStore* store, const std::string& bronze_table);

// Two lakes that share a consumer group each get only some of the records. A member's client id
// therefore contains the id of its Bronze table, and so does the metadata of the offsets that it
// commits.
std::string ClientIdOf(const std::string& table_id);
// Whether a client id, or the metadata of a committed offset, is an ingest's.
bool IsLakeClient(std::string_view client_id);

using ListGroup = std::function<Result<std::vector<kafka::GroupMember>>()>;

class GroupGuard {
 public:
  GroupGuard(std::string group, std::string client_id, ListGroup list);

  // Before joining: waits until the group has no member of another lake. Invalid, naming both, if
  // it still has one after `patience`, which must exceed the session timeout: a dead member stays
  // in the group until then. OK if no broker answers.
  Status AwaitOthers(Millis patience, const StopToken& stop);

  // While reading, at most every 30 s: the other lake may have started at the same moment. Of two,
  // the one with the greater client id gets an error.
  Status Look(BootClock::time_point now);

 private:
  Result<std::optional<kafka::GroupMember>> FindOther() const;
  Status Refuse(const kafka::GroupMember& other) const;

  const std::string group_, client_id_;
  const ListGroup list_;
  BootClock::time_point next_look_;
};

}  // namespace shopstream::ingest
