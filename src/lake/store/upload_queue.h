#pragma once

#include <arrow/buffer.h>

#include <deque>
#include <future>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Puts objects, several at the same time, while the caller makes the next one. One thread.
class UploadQueue {
 public:
  // The store is borrowed; it outlives the queue. `at_once`: with 1, Put returns when the object is
  // durable.
  UploadQueue(ObjectStore* store, int at_once) : store_(store), at_once_(at_once) {}
  UploadQueue(const UploadQueue&) = delete;
  UploadQueue& operator=(const UploadQueue&) = delete;
  ~UploadQueue() = default;  // Waits for pending puts: each future does.

  // Takes the object; waits if too many are pending. A failure may be an earlier object's.
  Status Put(std::string path, std::shared_ptr<arrow::Buffer> content);
  // All are durable if it returns OK. Call it before anything refers to them.
  Status Finish();

 private:
  Status AwaitOldest();

  struct Upload {
    std::future<Status> status;
    int64_t bytes = 0;
  };

  ObjectStore* const store_;
  const int at_once_;
  std::deque<Upload> under_way_;
  int64_t bytes_under_way_ = 0;
};

}  // namespace shopstream::lake
