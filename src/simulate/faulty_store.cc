#include "simulate/faulty_store.h"

#include <limits>
#include <thread>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::simulate {

Fault& Fault::FailsBefore() {
  kind_ = Kind::kFailBefore;
  return *this;
}

Fault& Fault::LosesReply() {
  kind_ = Kind::kLoseReply;
  return *this;
}

Fault& Fault::TearsWrite() {
  kind_ = Kind::kTear;
  return *this;
}

Fault& Fault::Delays(Millis pause) {
  pause_ = pause;
  return *this;
}

Fault& Fault::Calls(std::function<void(const std::string& path)> action) {
  action_ = std::move(action);
  return *this;
}

Fault& Fault::Skipping(int calls) {
  skip_ = calls;
  return *this;
}

Fault& Fault::Times(int calls) {
  left_ = calls;
  return *this;
}

Fault& Fault::Always() { return Times(std::numeric_limits<int>::max()); }

Fault& FaultyStore::On(Operation operation, const std::string& path_part) {
  Fault& fault = OnAny(path_part);
  fault.operation_ = operation;
  return fault;
}

Fault& FaultyStore::OnAny(const std::string& path_part) {
  const std::lock_guard lock(mutex_);
  Fault& fault = faults_.emplace_back();
  fault.path_part_ = path_part;
  return fault;
}

std::string TornPath(const std::string& path) {
  const size_t name = path.rfind('/') + 1;  // 0 if there is no '/'.
  return path.substr(0, name) + "." + path.substr(name) + ".torn";
}

void FaultyStore::Heal() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

int FaultyStore::Count(Operation operation, const std::string& path_part) const {
  const std::lock_guard lock(mutex_);
  int count = 0;
  for (const Call& call : calls_) {
    count += call.operation == operation && call.path.find(path_part) != std::string::npos;
  }
  return count;
}

Result<bool> FaultyStore::Strike(Operation operation, const std::string& path,
                                 const arrow::Buffer* content) {
  Fault strike;
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back({operation, path});
    for (Fault& fault : faults_) {
      if (fault.left_ == 0 || fault.operation_.value_or(operation) != operation ||
          path.find(fault.path_part_) == std::string::npos) {
        continue;
      }
      if (fault.skip_ > 0) {
        --fault.skip_;
        continue;
      }
      --fault.left_;
      strike = fault;
      break;
    }
  }
  if (strike.action_) strike.action_(path);
  if (strike.pause_ > Millis::zero()) std::this_thread::sleep_for(strike.pause_);
  if (strike.kind_ == Fault::Kind::kTear && content != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto half, content->CopySlice(0, content->size() / 2));
    ARROW_RETURN_NOT_OK(inner_->Put(TornPath(path), *half));
  }
  if (strike.kind_ == Fault::Kind::kTear || strike.kind_ == Fault::Kind::kFailBefore) {
    return Unavailable("injected fault before the operation on ", path);
  }
  return strike.kind_ == Fault::Kind::kLoseReply;
}

namespace {
Status LostReply(const std::string& path) {
  return Unavailable("injected fault: lost the reply for ", path);
}
}  // namespace

Result<std::shared_ptr<arrow::Buffer>> FaultyStore::Get(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kGet, path, nullptr));
  if (lost) return LostReply(path);
  return inner_->Get(path);
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> FaultyStore::OpenInput(
    const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kOpenInput, path, nullptr));
  if (lost) return LostReply(path);
  return inner_->OpenInput(path);
}

Status FaultyStore::Put(const std::string& path, const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kPut, path, &content));
  ARROW_RETURN_NOT_OK(inner_->Put(path, content));
  return lost ? LostReply(path) : Status::OK();
}

class FaultyStore::Output : public arrow::io::OutputStream {
 public:
  Output(FaultyStore* store, std::string path, std::shared_ptr<arrow::io::OutputStream> inner)
      : store_(store), path_(std::move(path)), inner_(std::move(inner)) {}

  using OutputStream::Write;
  Status Write(const void* data, int64_t size) override {
    const arrow::Buffer content(static_cast<const uint8_t*>(data), size);
    const auto lost = store_->Strike(Operation::kWriteOutput, path_, &content);
    Status status = lost.status();
    if (status.ok()) status = inner_->Write(data, size);
    if (status.ok() && *lost) status = LostReply(path_);
    if (!status.ok()) ARROW_RETURN_NOT_OK(inner_->Abort());
    return status;
  }
  Status Close() override {
    const auto lost = store_->Strike(Operation::kCloseOutput, path_, nullptr);
    if (!lost.ok()) {
      ARROW_RETURN_NOT_OK(inner_->Abort());
      return lost.status();
    }
    ARROW_RETURN_NOT_OK(inner_->Close());
    return *lost ? LostReply(path_) : Status::OK();
  }
  Status Abort() override { return inner_->Abort(); }
  bool closed() const override { return inner_->closed(); }
  Result<int64_t> Tell() const override { return inner_->Tell(); }

 private:
  FaultyStore* const store_;
  const std::string path_;
  const std::shared_ptr<arrow::io::OutputStream> inner_;
};

Result<std::shared_ptr<arrow::io::OutputStream>> FaultyStore::OpenOutput(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kOpenOutput, path, nullptr));
  if (lost) return LostReply(path);
  ARROW_ASSIGN_OR_RAISE(auto inner, inner_->OpenOutput(path));
  return std::make_shared<Output>(this, path, std::move(inner));
}

Result<lake::PutOutcome> FaultyStore::PutIfAbsent(const std::string& path,
                                                  const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kPutIfAbsent, path, &content));
  ARROW_ASSIGN_OR_RAISE(const lake::PutOutcome outcome, inner_->PutIfAbsent(path, content));
  if (lost) return LostReply(path);
  return outcome;
}

Result<std::vector<lake::ObjectEntry>> FaultyStore::List(const std::string& prefix,
                                                         const std::string& after) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kList, prefix, nullptr));
  if (lost) return LostReply(prefix);
  return inner_->List(prefix, after);
}

Result<std::vector<std::string>> FaultyStore::ListFolders(const std::string& folder) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kListFolders, folder, nullptr));
  if (lost) return LostReply(folder);
  return inner_->ListFolders(folder);
}

Status FaultyStore::Delete(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kDelete, path, nullptr));
  ARROW_RETURN_NOT_OK(inner_->Delete(path));
  return lost ? LostReply(path) : Status::OK();
}

Result<int64_t> FaultyStore::Now() {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kNow, "", nullptr));
  if (lost) return LostReply("the clock");
  return inner_->Now();
}

Result<int64_t> FaultyStore::RemoveAbandonedWrites(std::chrono::milliseconds min_age) {
  ARROW_ASSIGN_OR_RAISE(const bool lost, Strike(Operation::kRemoveAbandonedWrites, "", nullptr));
  ARROW_ASSIGN_OR_RAISE(const int64_t removed, inner_->RemoveAbandonedWrites(min_age));
  if (lost) return LostReply("abandoned writes");
  return removed;
}

}  // namespace shopstream::simulate
