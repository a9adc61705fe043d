#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/config.h"
#include "base/stop.h"
#include "kafka/single_log.h"
#include "registry/store.h"

namespace shopstream::registry {

struct KafkaStoreOptions {
  // The transactional id is derived from it, so that registries with the same topic share the right
  // to write.
  std::string topic = "_schemas";
  // How long to wait for the brokers at the start before giving up.
  Millis start_timeout{60000};
};

// The compacted topic `_schemas`, one partition. A thread follows the log and applies it to memory,
// which answers all reads. Several registries may share the topic: the one that writes takes over
// the right to write (kafka::LogWriter), reads the log to its end, decides, and writes in a
// transaction, which Kafka refuses if another took over meanwhile; then it starts over. So no id
// gets two schemas, and no schema two ids.
//
// A record that cannot be understood may contain an id or a version. Until it is overwritten, reads
// of known schemas are served, but nothing is written and nothing is reported as unknown.
class KafkaStore final : public Store {
 public:
  // Returns immediately; reading continues in the background.
  static std::unique_ptr<KafkaStore> Start(KafkaConfig config, KafkaStoreOptions options = {});
  ~KafkaStore() override;

  Status Ready() const override;
  void Read(const Look& look) const override;
  std::shared_ptr<const State> Snapshot() const override;
  Status CatchUp(Millis timeout) override;
  Status Write(const Decide& decide, Millis timeout) override;
  Status Whole() const override;
  Status Writable() const override;
  std::string ClusterId() const override;

  // OK while the log is being read or waited for; otherwise why it stopped permanently.
  Status Failure() const;

 private:
  KafkaStore(KafkaConfig config, KafkaStoreOptions options);

  // Runs on the following thread.
  void Follow();
  Status OpenLog();
  Status ReadOn();
  Status EnsureTopic();
  void ApplyRecord(const kafka::LogRecord& record);
  void PublishPosition(int64_t position);
  void NoteRefusal(const Status& refusal);

  // Lives on the stack of Write, which waits until it is finished.
  struct QueuedWrite {
    Decide decide;
    BootClock::time_point deadline;
    Status result{};
    bool finished = false;
  };
  using Batch = std::vector<QueuedWrite*>;

  // Runs on the writing thread.
  void WriteBatches();
  Batch TakeBatch();
  void WriteBatch(Batch batch);
  void WriteHalves(const Batch& batch);
  void Finish(const Batch& batch, const Status& result);
  std::vector<kafka::LogEntry> DecideAll(const Batch& batch);
  // One attempt. True: done; false: the right to write was lost, try again.
  Result<bool> TryWrite(const Batch& batch, BootClock::time_point deadline);

  Status WaitForPosition(int64_t offset, BootClock::time_point deadline);
  Status TakeOver(BootClock::time_point deadline);
  Status RefuseWrites();

  const KafkaConfig config_;
  const KafkaStoreOptions options_;
  StopSource stop_;

  // Snapshots share it; it is copied before it changes while there are any. They are counted here
  // because use_count() of a pointer does not order what its former owners read before our change.
  struct SharedState {
    SharedState() = default;
    explicit SharedState(const State& copied) : state(copied) {}
    State state;
    std::atomic<int> snapshots{0};  // Increased under state_mutex_.
  };
  mutable std::shared_mutex state_mutex_;
  std::shared_ptr<SharedState> state_ = std::make_shared<SharedState>();

  // Progress of the following thread; guarded by progress_mutex_.
  mutable std::mutex progress_mutex_;
  std::condition_variable progressed_;
  std::shared_ptr<kafka::LogReader> reader_;  // Null until the topic is open.
  int64_t position_ = 0;                      // state_ holds all records below.
  int64_t start_end_ = -1;                    // The end of the log when it was opened.
  bool announced_ = false;                    // Whether reaching start_end_ was logged.
  Status failure_;
  Status write_refusal_;  // Why Kafka does not let us write; OK: as far as is known it does.
  std::string cluster_id_;
  // Records that could not be understood, by key, until a valid record replaces them.
  std::map<std::string, std::string> unreadable_;

  // Writes that wait are decided one after the other, and written in one transaction.
  std::mutex queue_mutex_;
  std::condition_variable queued_, finished_;
  std::deque<QueuedWrite*> queue_;

  // Used only by the writing thread.
  std::unique_ptr<kafka::LogWriter> writer_;  // Null: another registry may have the right to write.
  Status last_write_failure_;

  std::thread follower_, writing_;
};

}  // namespace shopstream::registry
