#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "lake/store/object_store.h"

namespace shopstream::simulate {

enum class Operation {
  kGet,
  kOpenInput,
  kPut,
  kOpenOutput,
  kWriteOutput,  // One piece. A failed one makes the stream unusable.
  kCloseOutput,
  kPutIfAbsent,
  kList,
  kListFolders,
  kDelete,
  kNow,
  kRemoveAbandonedWrites,
};

// One way in which a store fails. Created by FaultyStore::On; by default it affects the next
// matching call, once.
class Fault {
 public:
  // What happens to an affected call.
  Fault& FailsBefore();  // IOError; nothing was done.
  Fault& LosesReply();   // Done completely, then IOError.
  Fault& TearsWrite();   // IOError; half the content is next to the target, hidden.
  Fault& Delays(Millis pause);
  // Called with the path before the operation, outside any lock: lets a test act in between.
  Fault& Calls(std::function<void(const std::string& path)> action);
  // Which matching calls are affected.
  Fault& Skipping(int calls);
  Fault& Times(int calls);
  Fault& Always();

 private:
  friend class FaultyStore;
  enum class Kind { kNone, kFailBefore, kLoseReply, kTear };

  std::optional<Operation> operation_;
  std::string path_part_;
  Kind kind_ = Kind::kNone;
  Millis pause_{0};
  std::function<void(const std::string&)> action_;
  int skip_ = 0;
  int left_ = 1;
};

// The hidden name under which half of a torn write to `path` is found.
std::string TornPath(const std::string& path);

// A store that fails on request, for tests. Thread-safe. Faults are tried in the order they were
// added; the first that matches a call affects it.
//
//   FaultyStore store(std::make_unique<MemoryStore>());
//   store.On(Operation::kPutIfAbsent, "_delta_log/").LosesReply();
//   store.On(Operation::kPut, ".parquet").Skipping(2).FailsBefore().Times(3);
class FaultyStore : public lake::ObjectStore {
 public:
  explicit FaultyStore(std::unique_ptr<lake::ObjectStore> inner) : inner_(std::move(inner)) {}

  // `path_part`: part of the path; "" matches all. Finish describing the fault before the calls
  // that it is for.
  Fault& On(Operation operation, const std::string& path_part = "");
  Fault& OnAny(const std::string& path_part = "");
  void LoseNextReply() { On(Operation::kPutIfAbsent).LosesReply(); }
  void Heal();  // Removes all faults.
  // Matching calls so far, including affected ones.
  int Count(Operation operation, const std::string& path_part = "") const;
  lake::ObjectStore* inner() { return inner_.get(); }

  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override;
  Status Put(const std::string& path, const arrow::Buffer& content) override;
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Result<lake::PutOutcome> PutIfAbsent(const std::string& path,
                                       const arrow::Buffer& content) override;
  Result<std::vector<lake::ObjectEntry>> List(const std::string& prefix,
                                              const std::string& after) override;
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override;
  Status Delete(const std::string& path) override;
  Result<int64_t> Now() override;
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) override;
  std::string Describe() const override { return inner_->Describe(); }
  bool IsRemote() const override { return inner_->IsRemote(); }
  int ParallelPuts() const override { return inner_->ParallelPuts(); }

 private:
  class Output;
  struct Call {
    Operation operation;
    std::string path;
  };

  // Records the call and applies the fault that affects it before the operation. True: the reply is
  // to be lost.
  Result<bool> Strike(Operation operation, const std::string& path, const arrow::Buffer* content);

  const std::unique_ptr<lake::ObjectStore> inner_;
  mutable std::mutex mutex_;
  std::deque<Fault> faults_;  // A deque: On() returns references.
  std::vector<Call> calls_;
};

}  // namespace shopstream::simulate
