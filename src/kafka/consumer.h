#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "kafka/client.h"
#include "kafka/record_source.h"

namespace shopstream::kafka {

struct ConsumerOptions {
  // The client's own queue of fetched records. Keep it small: records waiting here use memory.
  int64_t queue_kbytes = 32768;
  // Maximum number of records per poll.
  int poll_records = 10000;
  int session_timeout_ms = 10000;
  // The most of a partition in one fetch. Small fetches keep the partitions in step, so that
  // replayed history fills few dates at the same time; large ones are faster.
  int fetch_kbytes = 256;
  // How long a broker waits for a record if it has none.
  int fetch_wait_ms = 500;
  // False: see every record of a transactional producer, aborted or not.
  bool read_committed = true;
  // How the brokers and `group describe` show this client; committed offsets have it as metadata.
  // Empty: "shopstream", and no metadata.
  std::string client_id{};
  // True: reads by Assign alone, so that the group is only a name, and needs no permission.
  bool outside_group = false;
};

// The record source of a cluster: one topic, read without auto-commit and with cooperative-sticky
// assignment in config.group.
class Consumer : public RecordSource {
 public:
  static Result<std::unique_ptr<Consumer>> Open(const KafkaConfig& config,
                                                const ConsumerOptions& options);
  ~Consumer() override;

  Status Subscribe() override;
  // A fatal error of the client is an error here.
  Result<PollResult> Poll(Millis timeout) override;
  Status Assign(const std::vector<PartitionOffset>& start) override;
  Status Unassign(const std::vector<int32_t>& partitions) override;
  Status Restart(const std::vector<PartitionOffset>& start) override;
  Status Validate(const PartitionOffset& at) override;
  Status Pause(const std::vector<int32_t>& partitions) override;
  Status Resume(const std::vector<int32_t>& partitions) override;
  void CommitForDisplay(const std::vector<PartitionOffset>& offsets) override;
  int64_t CachedEnd(int32_t partition) const override;
  std::string Unreachable() const override;
  void Close() override;

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
