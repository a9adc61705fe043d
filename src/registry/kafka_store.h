#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "base/config.h"
#include "kafka/single_log.h"
#include "registry/store.h"

namespace shopstream::registry {

struct KafkaStoreOptions {
  // The transactional id is derived from it: registries that share a topic share the right to
  // write.
  std::string topic = "_schemas";
  // How long the brokers may stay away at the start before it is given up.
  Millis start_timeout{60000};
};

// The compacted topic `_schemas`, one partition. A thread follows the log and applies it to memory,
// from which all reads are answered. Several registries may share the topic: the one that writes
// takes the right to write from the others (kafka::LogWriter), reads the log to its end, decides,
// and writes in a transaction, which Kafka refuses if another took over meanwhile; then all of it
// starts again. So no two of them give one id to two schemas, or two ids to one.
//
// A record that cannot be understood may hold an id or a version. Until it is overwritten, what is
// known is served, but nothing is written and nothing is called unknown.
class KafkaStore final : public Store {
 public:
  // Returns at once; reading goes on behind.
  static std::unique_ptr<KafkaStore> Start(KafkaConfig config, KafkaStoreOptions options = {});
  ~KafkaStore() override;

  Status Ready() const override;
  void Read(const Look& look) const override;
  Status CatchUp(Millis timeout) override;
  Status Write(const Decide& decide, Millis timeout) override;
  Status Whole() const override;
  std::string ClusterId() const override;

  // OK as long as the log is being read or waited for; else why that has ended for good.
  Status Failure() const;

 private:
  KafkaStore(KafkaConfig config, KafkaStoreOptions options);

  // On the following thread.
  void Follow();
  Status OpenLog();
  Status ReadOn();
  Status EnsureTopic();
  void ApplyRecord(const kafka::LogRecord& record);
  void PublishPosition(int64_t position);

  Status WaitForPosition(int64_t offset, BootClock::time_point deadline);
  // One attempt of Write; true: done, false: the right to write was lost, try again.
  Result<bool> TryWrite(const Decide& decide, BootClock::time_point deadline);
  Status TakeOver(BootClock::time_point deadline);

  const KafkaConfig config_;
  const KafkaStoreOptions options_;
  std::atomic<bool> stopping_{false};

  mutable std::shared_mutex state_mutex_;
  State state_;

  // Progress of the following thread; guarded by progress_mutex_.
  mutable std::mutex progress_mutex_;
  std::condition_variable progressed_;
  std::shared_ptr<kafka::LogReader> reader_;  // Null until the topic is open.
  int64_t position_ = 0;                      // state_ holds all records below.
  int64_t start_end_ = -1;                    // The end of the log when it was opened.
  bool announced_ = false;                    // That start_end_ is reached.
  Status failure_;
  std::string cluster_id_;
  // What could not be understood, by its key, until something that can be is written there.
  std::map<std::string, std::string> unreadable_;

  // Held while writing; one write at a time.
  std::timed_mutex write_mutex_;
  std::unique_ptr<kafka::LogWriter> writer_;  // Null: this registry has no right to write.
  Status last_write_failure_;

  std::thread follower_;
};

}  // namespace shopstream::registry
