#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kafka/cluster_overview.h"
#include "kafka/topic_metadata.h"
#include "observe/lag_rates.h"
#include "tables/partition_state.h"
#include "tables/progress.h"

// What `observe` sees of the system, as values. How they are collected is in sampler.h, how they
// are shown as metrics in sample_metrics.h.
namespace shopstream::observe {

inline constexpr char kNoAnswerYet[] = "no answer yet";  // Until the first look is over.

// What was last seen of a part of the system, or why it is not known.
template <typename T>
struct Seen {
  std::shared_ptr<const T> value;      // Null: not known.
  std::string unknown = kNoAnswerYet;  // Why; empty if the value is known.
  int64_t at_ms = 0;                   // When it was asked, by the wall clock; 0: never.
  Millis took{0};
  int64_t looks = 0;  // How many there were so far.

  bool known() const { return value != nullptr; }
};

struct BrokerSample {
  int32_t id = -1;          // -1: a bootstrap server, before the cluster has named its brokers.
  std::string address;      // host:port
  bool registered = false;  // The cluster has it.
  // Whether it accepts connections and the cluster has it. A broker that left the cluster is
  // remembered, and down.
  bool up = false;
  std::string why_down{};
};

struct BrokersSample {
  std::string cluster_unknown;  // Why the cluster does not answer; empty: it does.
  int32_t controller = -1;      // -1: none, or the cluster does not answer.
  std::vector<BrokerSample> brokers;
};

struct PartitionSample {
  kafka::PartitionState state;
  std::optional<int64_t> end;        // Nothing: its leader does not answer.
  std::optional<int64_t> log_start;  // Read once a minute.
  std::string unknown;               // Why one of them is.
};

struct TopicSample {
  std::string name;
  std::string id;  // Only of kafka.topic.
  std::vector<PartitionSample> partitions;
  // Offsets per second over the last minute; nothing: unknown, or the first look.
  std::optional<double> in_per_second{};

  int64_t leaderless() const;
  int64_t under_replicated() const;
};

struct TopicsSample {
  BootClock::time_point at;
  bool own_exists = false;          // Whether there is kafka.topic, which is then the first one.
  std::vector<TopicSample> topics;  // The others by name.

  const TopicSample* own() const { return own_exists ? &topics.front() : nullptr; }
};

struct GroupSample {
  std::string unknown{};  // Why it does not answer; then only its name is known.
  kafka::GroupDescription described{};
  std::map<kafka::TopicPartition, int64_t> committed{};

  bool known() const { return unknown.empty(); }
};
struct GroupsSample {
  std::vector<GroupSample> groups;
};

struct RegistrySample {
  int64_t subjects = 0;
  std::string degraded;  // Why it is, as it reports; empty: it is not.
};

struct TableSample {
  bool exists = false;  // Everything below is of an existing table.
  int64_t version = 0;
  int64_t files = 0, bytes = 0;
  int64_t small_files = 0;                       // In partitions that have at least two of them.
  std::optional<int64_t> rows{};                 // Nothing: a writer did not count them.
  std::optional<int64_t> committed_ms{};         // Nothing: the version's entry was cleaned up.
  std::optional<int64_t> complete_through_ms{};  // Nothing: unknown.
  std::map<tables::ProgressKey, tables::PartitionState> progress{};  // Only of Bronze.
};

struct QuarantineSample {
  std::map<std::string, int64_t> rows_by_cause;
};

// The lag of the lake in one partition of kafka.topic.
struct LagSample {
  int32_t partition = 0;
  std::string unknown{};  // Why Kafka does not answer for the partition; then only `next` is known.
  std::optional<int64_t> next{};  // The lake's own progress; nothing: it has read nothing.
  int64_t records = 0;            // Offsets that are not in the lake.
  // Age of the first record that is not in the lake, by its Kafka timestamp; 0 without one.
  // Nothing: it has no timestamp, or could not be read.
  std::optional<double> seconds{};
  LagRates rates{};
  std::optional<double> clear_seconds{};  // SecondsToClear.
  int64_t expired = 0;                    // Offsets that Kafka removed before ingest read them.
  bool stopped = false;                   // Until an operator decides.

  bool known() const { return unknown.empty(); }
};
struct LagsSample {
  std::vector<LagSample> partitions;

  // Over all partitions; nothing: unknown in one of them.
  std::optional<int64_t> records() const;
  std::optional<double> seconds() const;        // The greatest.
  std::optional<double> clear_seconds() const;  // The slowest partition decides.
};

struct Sample {
  int64_t at_ms = 0;
  std::string topic, group;  // kafka.topic and kafka.group.
  Seen<BrokersSample> brokers{};
  Seen<TopicsSample> topics{};
  Seen<GroupsSample> groups{};
  Seen<RegistrySample> registry{};
  std::map<std::string, Seen<TableSample>> tables{};  // By path; always Bronze.
  std::string tables_unknown{};  // Why the lake does not answer which tables there are; or empty.
  Seen<QuarantineSample> quarantine{};
  Seen<LagsSample> lag{};

  // Changes whenever anything was seen or became unknown.
  int64_t sequence() const;
};
nlohmann::ordered_json ToJson(const Sample& sample);

// A part that is down, unknown or not there, and why: "registry", "connection refused ...".
struct MissingPart {
  std::string part, why;

  bool operator==(const MissingPart&) const = default;
};
// Empty: everything is known and up.
std::vector<MissingPart> Missing(const Sample& sample);

// "12,345 behind (3.2 s), 1,000/s in, 2,500/s out, clear in 8 s".
std::string Describe(const LagsSample& lags);

}  // namespace shopstream::observe
