#include "lake/store/upload_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

class RemoteMemoryStore : public MemoryStore {
 public:
  bool IsRemote() const override { return true; }
};

std::shared_ptr<arrow::Buffer> Text(const std::string& text) {
  return arrow::Buffer::FromString(text);
}

TEST(UploadQueue, AllAreThereOnceFinished) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  UploadQueue queue(&store);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(queue.Put("t/" + std::to_string(i), Text("x")).ok());
  ASSERT_TRUE(queue.Finish().ok());
  EXPECT_EQ(50U, store.List("t/", "")->size());
}

TEST(UploadQueue, SeveralAreUnderWayAtOnceWhereTheStoreIsRemote) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  // Each waits for another; if run one after the other, the first would wait in vain.
  std::mutex mutex;
  std::condition_variable met;
  int here = 0;
  std::atomic<int> lonely = 0;
  store.On(Operation::kPut).Times(2).Calls([&](const std::string&) {
    std::unique_lock lock(mutex);
    ++here;
    met.notify_all();
    if (!met.wait_for(lock, std::chrono::seconds(30), [&] { return here == 2; })) ++lonely;
  });
  UploadQueue queue(&store);
  ASSERT_TRUE(queue.Put("a", Text("x")).ok());
  ASSERT_TRUE(queue.Put("b", Text("x")).ok());
  ASSERT_TRUE(queue.Finish().ok());
  EXPECT_EQ(0, lonely);
}

TEST(UploadQueue, AFailureIsToldAtTheLatestByFinish) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  store.On(Operation::kPut, "t/3").FailsBefore();
  UploadQueue queue(&store);
  Status status;
  for (int i = 0; i < 5; ++i) status &= queue.Put("t/" + std::to_string(i), Text("x"));
  status &= queue.Finish();
  EXPECT_THAT(status.message(), ::testing::HasSubstr("t/3"));
}

TEST(UploadQueue, OnADiskEachIsPutAtOnce) {
  FaultyStore store(std::make_unique<MemoryStore>());
  store.On(Operation::kPut).FailsBefore();
  UploadQueue queue(&store);
  EXPECT_TRUE(queue.Put("a", Text("x")).IsIOError());
  EXPECT_TRUE(queue.Finish().ok());
}

}  // namespace
}  // namespace shopstream::lake
