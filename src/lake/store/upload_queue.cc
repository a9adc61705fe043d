#include "lake/store/upload_queue.h"

#include <iterator>
#include <system_error>
#include <utility>

namespace shopstream::lake {
namespace {

// For each put at the same time. A larger object can still be uploaded while the next one is made.
constexpr int64_t kBytesUnderWay = 512 << 10;

}  // namespace

Status UploadQueue::Put(std::string path, std::shared_ptr<arrow::Buffer> content) {
  if (at_once_ == 1) return store_->Put(path, *content);
  const int64_t bytes = content->size();
  while (std::ssize(under_way_) == at_once_ ||
         (!under_way_.empty() && bytes_under_way_ + bytes > at_once_ * kBytesUnderWay)) {
    ARROW_RETURN_NOT_OK(AwaitOldest());
  }
  // One thread each: compared with a round trip it costs nothing.
  try {
    under_way_.push_back(
        {std::async(std::launch::async,
                    [store = store_, path, content] { return store->Put(path, *content); }),
         bytes});
  } catch (const std::system_error&) {  // No further thread can be started.
    return store_->Put(path, *content);
  }
  bytes_under_way_ += bytes;
  return Status::OK();
}

Status UploadQueue::Finish() {
  Status status;
  while (!under_way_.empty()) status &= AwaitOldest();
  return status;
}

Status UploadQueue::AwaitOldest() {
  const Status status = under_way_.front().status.get();
  bytes_under_way_ -= under_way_.front().bytes;
  under_way_.pop_front();
  return status;
}

}  // namespace shopstream::lake
