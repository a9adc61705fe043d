#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

struct rd_kafka_message_s;

namespace shopstream::kafka {

using Bytes = std::span<const uint8_t>;

// A message in the client's buffers; valid as long as its RecordBatch.
struct RecordView {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = -1;  // Unix epoch; -1: the producer gave none.
  std::optional<Bytes> key;
  std::optional<Bytes> value;  // Nothing: a null value (tombstone), unlike an empty one.
  int32_t leader_epoch = -1;   // The leader's when it was written; -1: unknown.
  const rd_kafka_message_s* message = nullptr;  // Null: created by hand; it has no headers.
};

using Headers = std::vector<std::pair<std::string, std::optional<std::string>>>;
Headers ReadHeaders(const RecordView& record);

struct MessageDeleter {
  void operator()(rd_kafka_message_s* message) const;
};
using MessageHandle = std::unique_ptr<rd_kafka_message_s, MessageDeleter>;

// Messages of one poll, in order within each partition. Owns them.
struct RecordBatch {
  std::vector<RecordView> records;
  std::vector<MessageHandle> messages;
};

}  // namespace shopstream::kafka
