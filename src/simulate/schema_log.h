#pragma once

#include <mutex>

#include "base/error_kind.h"
#include "registry/store.h"

namespace shopstream::simulate {

// For tests: an in-memory log that on request fails like a real one.
class SchemaLog final : public registry::Store {
 public:
  void NotReadYet(const std::string& reason) { ready_ = Unavailable(reason); }
  void Fail(const std::string& reason) { failure_ = Unavailable(reason); }
  // Written by another registry; visible here once the log is read to its end.
  void WriteElsewhere(const registry::Record& record) { elsewhere_.push_back(record); }

  Status Ready() const override { return ready_; }
  Status Whole() const override { return Status::OK(); }
  void Read(const registry::Look& look) const override {
    std::lock_guard lock(mutex_);
    look(state_);
  }
  std::shared_ptr<const registry::State> Snapshot() const override {
    std::lock_guard lock(mutex_);
    return std::make_shared<const registry::State>(state_);
  }
  Status CatchUp(Millis) override {
    std::lock_guard lock(mutex_);
    return ReadToEnd();
  }
  Status Write(const registry::Decide& decide, Millis) override {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(ReadToEnd());
    for (const registry::KeyAndValue& written : registry::SerializeAll(decide(state_))) {
      ARROW_ASSIGN_OR_RAISE(const auto record, registry::ParseRecord(written.key, written.value));
      ARROW_RETURN_NOT_OK(state_.Apply(record.value()));
    }
    return Status::OK();
  }
  std::string ClusterId() const override { return "memory"; }

 private:
  Status ReadToEnd() {
    ARROW_RETURN_NOT_OK(failure_);
    for (const registry::Record& record : elsewhere_) ARROW_RETURN_NOT_OK(state_.Apply(record));
    elsewhere_.clear();
    return Status::OK();
  }

  mutable std::mutex mutex_;
  registry::State state_;
  std::vector<registry::Record> elsewhere_;
  Status ready_, failure_;
};

}  // namespace shopstream::simulate
