#include "lake/upload_queue.h"

#include <utility>

namespace shopstream::lake {
namespace {

// As many as hide a round trip; more would only queue at the service.
constexpr size_t kMaxUnderWay = 8;

}  // namespace

Status UploadQueue::Put(std::string path, std::shared_ptr<arrow::Buffer> content) {
  if (!store_->IsRemote()) return store_->Put(path, *content);
  if (under_way_.size() == kMaxUnderWay) ARROW_RETURN_NOT_OK(AwaitOldest());
  // A thread each: next to a round trip it costs nothing.
  under_way_.push_back(std::async(
      std::launch::async, [store = store_, path = std::move(path), content = std::move(content)] {
        return store->Put(path, *content);
      }));
  return Status::OK();
}

Status UploadQueue::Finish() {
  Status status;
  while (!under_way_.empty()) status &= AwaitOldest();
  return status;
}

Status UploadQueue::AwaitOldest() {
  const Status status = under_way_.front().get();
  under_way_.pop_front();
  return status;
}

}  // namespace shopstream::lake
