#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "ingest/adopt.h"
#include "kafka/admin.h"
#include "kafka/reader.h"

namespace shopstream::ingest {

// The mirror in a cluster. Gives up if Kafka sends nothing for `patience`.
class KafkaMirrorLog : public MirrorLog {
 public:
  // `admin` is borrowed. `stop`: reading is cancelled.
  KafkaMirrorLog(KafkaConfig config, kafka::Admin* admin, std::function<bool()> stop,
                 Millis patience = Millis{30'000});

  Result<int64_t> FirstAt(int32_t partition, int64_t timestamp_ms) override;
  Status Read(const OffsetRange& range, const OnRecords& on_records) override;

 private:
  const KafkaConfig config_;
  kafka::Admin* const admin_;
  const std::function<bool()> stop_;
  const Millis patience_;
  std::unique_ptr<kafka::Reader> reader_;  // Null until the first Read.
};

}  // namespace shopstream::ingest
