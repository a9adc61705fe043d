#pragma once

#include <arrow/buffer.h>

#include <deque>
#include <future>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/object_store.h"

namespace shopstream::lake {

// Puts objects, several at once where the store is remote, while the caller makes the next one. On
// a disk each is put at once: what it waits for there is the disk. One thread.
class UploadQueue {
 public:
  // Borrowed; it outlives the queue.
  explicit UploadQueue(ObjectStore* store) : store_(store) {}
  UploadQueue(const UploadQueue&) = delete;
  UploadQueue& operator=(const UploadQueue&) = delete;
  ~UploadQueue() = default;  // Waits for what is under way: each future does.

  // Takes the object, waiting where too many are under way. A failure may be an earlier object's.
  Status Put(std::string path, std::shared_ptr<arrow::Buffer> content);
  // All are durable when it returns OK. Call it before anything refers to them.
  Status Finish();

 private:
  Status AwaitOldest();

  struct Upload {
    std::future<Status> status;
    int64_t bytes = 0;
  };

  ObjectStore* const store_;
  std::deque<Upload> under_way_;
  int64_t bytes_under_way_ = 0;
};

}  // namespace shopstream::lake
