#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "kafka/record.h"

namespace shopstream::kafka {

struct PartitionOffset {
  int32_t partition = 0;
  int64_t offset = 0;  // The next to read.
  // The epoch of the leader that wrote the offset before it, be it a record or a transaction's
  // marker; -1: unknown.
  int32_t leader_epoch = -1;
};

inline constexpr int64_t kOffsetBeginning = -2;

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

struct CorruptBatch {
  int32_t partition = 0;
  int64_t offset = 0;  // The first that cannot be read.
  std::string reason;
};

struct PollResult {
  RecordBatch batch;
  // Follow the batch's records; answer them in this order. Usually none or one; two if Restart
  // found an unpolled revocation and answered it.
  std::vector<Rebalance> rebalances;
  std::vector<PartitionOffset> ends;  // Partitions read to their end: the next offset.
  std::vector<int32_t> out_of_range;  // The broker does not have the requested offset.
  // Kafka's log of these partitions no longer has the history that was read: it was cut, and may
  // have grown again. Nothing more of them follows until Restart.
  std::vector<int32_t> truncated;
  // The batch with this offset cannot be read; the message says why. Nothing more of the partition
  // follows until Restart, since the client may continue at a wrong offset.
  std::vector<CorruptBatch> corrupt;
  bool topic_gone = false;  // The topic does not exist, or no longer does.
};

// The interface to Kafka for reading a topic. It is a member of a group after Subscribe, and
// independent after Assign without Subscribe. All calls must come from one thread, the polling one.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // Joins the group, which then assigns partitions; see PollResult::rebalances.
  virtual Status Subscribe() = 0;
  // Waits up to `timeout` for records. After an error reading cannot continue.
  virtual Result<PollResult> Poll(Millis timeout) = 0;

  // Adds partitions to the assignment and reads from the offsets.
  virtual Status Assign(const std::vector<PartitionOffset>& start) = 0;
  virtual Status Unassign(const std::vector<int32_t>& partitions) = 0;
  // Restarts assigned partitions at other offsets; drops their records fetched so far.
  virtual Status Restart(const std::vector<PartitionOffset>& start) = 0;
  // Continues an assigned partition at `at` if the log still has the history up to there, that is
  // if the epoch at.leader_epoch reaches to at.offset; else PollResult::truncated names it. Drops
  // what was fetched before. Something of the partition must have been polled since its
  // assignment: an unavailable error otherwise.
  virtual Status Validate(const PartitionOffset& at) = 0;

  virtual Status Pause(const std::vector<int32_t>& partitions) = 0;
  virtual Status Resume(const std::vector<int32_t>& partitions) = 0;

  // Commits to the group's coordinator, only for lag displays; never waits, only logs failures.
  virtual void CommitForDisplay(const std::vector<PartitionOffset>& offsets) = 0;
  // The partition's end as of the last fetch; -1 before the first fetch.
  virtual int64_t CachedEnd(int32_t partition) const = 0;
  // Why no broker can be reached; empty: one can, as of the last few seconds.
  virtual std::string Unreachable() const { return ""; }

  // Leaves the group (a static member stays until its session times out). Bounded by the client.
  virtual void Close() = 0;
};

}  // namespace shopstream::kafka
