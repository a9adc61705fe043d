#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/runtime.h"
#include "ingest/seen_ends.h"
#include "ingest/start_positions.h"
#include "kafka/topic_metadata.h"

namespace shopstream::ingest {

// Where the partitions of a topic ended, of which a question was sent at this time or later.
struct EndsAnswer {
  int64_t asked_at_ms = 0;  // By this host's wall clock.
  TopicSpans topic;
};

// Asks Kafka on its own thread where the log of each partition ends, because a leader that is out
// of reach costs a question its whole time limit. Thread-safe.
class EndsWatch {
 public:
  // Borrows `topics`, which outlives it.
  EndsWatch(kafka::TopicMetadata* topics, std::string topic);
  ~EndsWatch();  // Waits for an outstanding question.

  // Asks for these partitions of the topic with this id, each with the offset up to which it has
  // been read. Returns immediately; a question that waits for another one is replaced.
  void Ask(const std::string& topic_id, std::map<int32_t, int64_t> read);
  // What the caller has asked itself.
  void Take(const EndsAnswer& answer);
  // By partition, the latest time of which everything that Kafka held is below the offset.
  std::map<int32_t, int64_t> CompleteThrough(const std::string& topic_id,
                                             const std::map<int32_t, int64_t>& read) const;

 private:
  struct Question {
    std::string topic_id;
    std::map<int32_t, int64_t> read;
  };
  void Run();
  void Keep(const EndsAnswer& answer, const Question* question);

  kafka::TopicMetadata* const topics_;
  const std::string topic_;
  mutable std::mutex mutex_;
  Signal work_;
  std::optional<Question> question_;  // Guarded by mutex_, like all below.
  std::string topic_id_;
  std::map<int32_t, SeenEnds> seen_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace shopstream::ingest
