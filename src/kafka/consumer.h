#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/client.h"
#include "kafka/record.h"

namespace shopstream::kafka {

struct PartitionOffset {
  int32_t partition = 0;
  int64_t offset = 0;  // The next to read.
};

inline constexpr int64_t kOffsetBeginning = -2;

struct ConsumerOptions {
  // The client's own queue of fetched records. Keep it small: records waiting here use memory.
  int64_t queue_kbytes = 32768;
  // Maximum number of records per poll.
  int poll_records = 10000;
  int session_timeout_ms = 10000;
  // False: see every record of a transactional producer, aborted or not.
  bool read_committed = true;
};

// The group wants to assign or revoke partitions, and waits for the answer: Assign or Unassign.
struct Rebalance {
  enum class Kind {
    kAssign,
    kRevoke,
    kLost,  // Revoked, and another member may own them already.
  };
  Kind kind = Kind::kAssign;
  std::vector<int32_t> partitions;
};

struct PollResult {
  RecordBatch batch;
  // Follow the batch's records; answer them in this order. Usually none or one; two if Restart
  // met a revocation that was not polled yet, and answered it.
  std::vector<Rebalance> rebalances;
  std::vector<PartitionOffset> ends;  // Partitions read to their end: the next offset.
  std::vector<int32_t> out_of_range;  // The broker does not have the requested offset.
  bool topic_gone = false;            // The topic does not exist, or no longer does.
};

// Reads one topic without auto-commit. All calls must come from one thread, the polling one. It is
// a member of a group after Subscribe, and independent after Assign without Subscribe.
class Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> Open(const KafkaConfig& config,
                                                const ConsumerOptions& options);
  ~Consumer();

  // Joins config.group with cooperative-sticky assignment.
  Status Subscribe();

  // Waits up to `timeout` for records. A fatal error of the client is an error here.
  Result<PollResult> Poll(Millis timeout);

  // Adds partitions to the assignment and reads from the offsets.
  Status Assign(const std::vector<PartitionOffset>& start);
  Status Unassign(const std::vector<int32_t>& partitions);
  // Reads assigned partitions again, from other offsets; drops what was already fetched of them.
  Status Restart(const std::vector<PartitionOffset>& start);

  Status Pause(const std::vector<int32_t>& partitions);
  Status Resume(const std::vector<int32_t>& partitions);

  // Commits to the group's coordinator, for lag displays only; never waits, only logs failures.
  void CommitForDisplay(const std::vector<PartitionOffset>& offsets);
  // The partition's end as of the last fetch; -1 before the first fetch.
  int64_t CachedEnd(int32_t partition) const;

  // Leaves the group (a static member stays until its session times out). Bounded by the client.
  void Close();

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
