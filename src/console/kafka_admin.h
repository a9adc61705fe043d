#pragma once

#include <memory>
#include <mutex>

#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"

namespace shopstream::console {

// The client that the console's handlers share for questions to the cluster. It is opened with the
// first one, so that the console starts before Kafka is up. Thread-safe.
class KafkaAdmin {
 public:
  // Handlers answer a person, who waits.
  static constexpr Millis kTimeout{5000};

  explicit KafkaAdmin(const KafkaConfig& config) : config_(config) {}

  Result<std::shared_ptr<kafka::Admin>> Get() {
    const std::lock_guard lock(mutex_);
    if (admin_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(admin_, kafka::Admin::Open(config_, kTimeout));
    }
    return admin_;
  }

 private:
  const KafkaConfig config_;
  std::mutex mutex_;
  std::shared_ptr<kafka::Admin> admin_;  // Guarded by mutex_; null until it is needed.
};

}  // namespace shopstream::console
