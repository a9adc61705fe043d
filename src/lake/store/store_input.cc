#include "lake/store/store_input.h"

#include <arrow/buffer.h>

#include <utility>

#include "base/error_kind.h"

namespace shopstream::lake {
namespace {

int64_t SizeOf(int64_t bytes) { return bytes; }
int64_t SizeOf(const std::shared_ptr<arrow::Buffer>& bytes) { return bytes->size(); }

// Passes calls on. `failure` words each error, unless it is empty; `bytes` grows by what is read,
// unless it is null.
class StoreInput : public arrow::io::RandomAccessFile {
 public:
  StoreInput(std::shared_ptr<arrow::io::RandomAccessFile> file,
             std::function<Status(const Status&)> failure, std::atomic<int64_t>* bytes)
      : file_(std::move(file)), failure_(std::move(failure)), bytes_(bytes) {}

  Status Close() override { return Told(file_->Close()); }
  bool closed() const override { return file_->closed(); }
  Result<int64_t> Tell() const override { return Told(file_->Tell()); }
  Status Seek(int64_t position) override { return Told(file_->Seek(position)); }
  Result<int64_t> GetSize() override { return Told(file_->GetSize()); }
  Result<int64_t> Read(int64_t size, void* out) override { return Counted(file_->Read(size, out)); }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    return Counted(file_->Read(size));
  }
  Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override {
    return Counted(file_->ReadAt(position, size, out));
  }
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override {
    return Counted(file_->ReadAt(position, size));
  }

 private:
  Status Told(const Status& status) const {
    return status.ok() || !failure_ ? status : failure_(status);
  }
  template <typename T>
  Result<T> Told(Result<T> result) const {
    if (result.ok()) return result;
    return Told(result.status());
  }
  template <typename T>
  Result<T> Counted(Result<T> read) const {
    if (read.ok() && bytes_ != nullptr) bytes_->fetch_add(SizeOf(*read));
    return Told(std::move(read));
  }

  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
  const std::function<Status(const Status&)> failure_;
  std::atomic<int64_t>* const bytes_;
};

}  // namespace

std::shared_ptr<arrow::io::RandomAccessFile> CountReads(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::atomic<int64_t>* bytes) {
  return std::make_shared<StoreInput>(std::move(file), nullptr, bytes);
}

std::shared_ptr<arrow::io::RandomAccessFile> MakeStoreInput(
    std::shared_ptr<arrow::io::RandomAccessFile> file,
    std::function<Status(const Status&)> failure) {
  return std::make_shared<StoreInput>(std::move(file), std::move(failure), nullptr);
}

Status CannotRead(const std::string& path, const Status& error) {
  switch (KindOf(error)) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kRefused:
    case ErrorKind::kGone:
      return error;
    case ErrorKind::kCorrupt:
    case ErrorKind::kInvalid:
      break;
  }
  return error.WithMessage("cannot read ", path, ": ", error.message());
}

}  // namespace shopstream::lake
