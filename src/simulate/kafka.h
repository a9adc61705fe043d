#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kafka/record_source.h"
#include "kafka/topic_metadata.h"
#include "simulate/scheduler.h"

namespace shopstream::simulate {

// One offset of a partition.
struct StoredOffset {
  enum class Kind {
    kRecord,
    kOpen,     // A record of an open transaction: nobody reads past it.
    kAborted,  // A record of a transaction that was aborted.
    kMarker,   // The end of a transaction.
  };
  Kind kind = Kind::kRecord;
  int64_t timestamp_ms = 0;
  int32_t leader_epoch = 0;
  const std::string* key = nullptr;    // Null: none. Owned by the cluster, which outlives it.
  const std::string* value = nullptr;  // Likewise.
};

struct PartitionLog {
  int64_t log_start = 0;
  std::vector<StoredOffset> offsets;  // From 0 on; those below log_start have expired.
  // Each epoch that wrote something, and the current one, with its first offset; both ascend.
  std::vector<std::pair<int32_t, int64_t>> epochs = {{0, 0}};
  bool led = true;       // False: it has no leader, nobody can read it or ask for its offsets.
  int64_t corrupt = -1;  // The leader's copy of this offset cannot be read; -1: all can.

  int64_t end() const { return static_cast<int64_t>(offsets.size()); }
  int64_t last_stable() const;  // The last stable offset, where read_committed ends.
  int32_t leader_epoch() const { return epochs.back().first; }
  // Where the epoch ends, as the leader answers a consumer. Nothing: it does not know the epoch.
  std::optional<int64_t> EndOfEpoch(int32_t epoch) const;
  void StartEpoch(int32_t epoch);
  void CutAt(int64_t end);
};

struct KafkaFaults {
  double metadata_fails = 0;  // Probability for a request of the topic's id or its offsets.
};

// A cluster with one topic and one group, as seen by a consumer: cooperative rebalances with
// sessions, transactions, expiry, truncation, a topic deleted and created again.
class SimulatedKafka {
 public:
  static constexpr Millis kSession{10'000};

  SimulatedKafka(Scheduler* scheduler, std::string topic, int partitions);

  KafkaFaults faults;

  // ---- the actions of producers and operators
  const std::string& id() const { return id_; }  // Empty: there is no such topic.
  int partitions() const { return static_cast<int>(logs_.size()); }
  const PartitionLog& log(int32_t partition) const { return logs_[partition]; }
  // Returns the record's offset.
  int64_t Produce(int32_t partition, std::optional<std::string> key,
                  std::optional<std::string> value, int64_t timestamp_ms, bool in_transaction);
  // Ends the partition's transaction, if one is open.
  void EndTransaction(int32_t partition, bool commit);
  void Expire(int32_t partition, int64_t log_start);
  // Its leader fails, and no other can be elected until Elect.
  void LoseLeader(int32_t partition);
  // The leader's copy of an offset is damaged.
  void Corrupt(int32_t partition, int64_t offset);
  // Another replica leads, whose copy is intact; nothing is lost.
  void Elect(int32_t partition);
  // A replica leads that lacks acknowledged records.
  void Truncate(int32_t partition, int64_t end);
  // The brokers are restored from a backup taken when the log ended at `end`. They have forgotten
  // later epochs, which therefore repeat.
  void Restore(int32_t partition, int64_t end);
  void DeleteTopic();
  void CreateTopic(int partitions);
  // The group's coordinator takes all partitions from the program's member.
  void LoseMember(int program);
  kafka::RecordView View(int32_t partition, int64_t offset) const;
  // The program that owns each partition. Members whose session has timed out do not count.
  std::vector<int> Owners() const;

  // ---- the view of programs
  std::unique_ptr<kafka::RecordSource> OpenSource(bool read_committed = true);
  std::unique_ptr<kafka::TopicMetadata> OpenMetadata();

 private:
  // A call takes less than this.
  static constexpr int64_t kCallMicros = 10'000;

  class Source;
  class Metadata;
  struct Member {
    int program = -1;
    BootClock::time_point last_poll{};
    std::set<int32_t> owned;  // Assigned to it, and not revoked yet.
    std::set<int32_t> asked_back;
    std::vector<kafka::Rebalance> news;
    bool evicted = false;  // It has not been notified yet.
  };

  Member* Join(int program);
  void Leave(Member* member);
  void Evict(Member* member);
  void Rebalance();
  void EndSessions();
  const std::string* Keep(std::optional<std::string> text);

  Scheduler* const scheduler_;
  const std::string topic_;
  std::string id_;
  int64_t ids_ = 0;
  std::vector<PartitionLog> logs_;
  std::deque<std::string> texts_;
  std::map<int64_t, std::unique_ptr<Member>> members_;  // By order of joining.
  int64_t joins_ = 0;
};

}  // namespace shopstream::simulate
