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

std::shared_ptr<arrow::Buffer> Text(const std::string& text) {
  return arrow::Buffer::FromString(text);
}

TEST(UploadQueue, AllAreThereOnceFinished) {
  FaultyStore store(std::make_unique<MemoryStore>());
  UploadQueue queue(&store, 8);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(queue.Put("t/" + std::to_string(i), Text("x")).ok());
  ASSERT_TRUE(queue.Finish().ok());
  EXPECT_EQ(50U, store.List("t/", "")->size());
}

TEST(UploadQueue, SeveralAreUnderWayAtOnce) {
  FaultyStore store(std::make_unique<MemoryStore>());
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
  UploadQueue queue(&store, 8);
  ASSERT_TRUE(queue.Put("a", Text("x")).ok());
  ASSERT_TRUE(queue.Put("b", Text("x")).ok());
  ASSERT_TRUE(queue.Finish().ok());
  EXPECT_EQ(0, lonely);
}

TEST(UploadQueue, AFailureIsToldAtTheLatestByFinish) {
  FaultyStore store(std::make_unique<MemoryStore>());
  store.On(Operation::kPut, "t/3").FailsBefore();
  UploadQueue queue(&store, 8);
  Status status;
  for (int i = 0; i < 5; ++i) status &= queue.Put("t/" + std::to_string(i), Text("x"));
  status &= queue.Finish();
  EXPECT_THAT(status.message(), ::testing::HasSubstr("t/3"));
}

TEST(UploadQueue, OneAfterTheOtherEachIsPutImmediately) {
  FaultyStore store(std::make_unique<MemoryStore>());
  store.On(Operation::kPut).FailsBefore();
  UploadQueue queue(&store, 1);
  EXPECT_TRUE(queue.Put("a", Text("x")).IsIOError());
  EXPECT_TRUE(queue.Finish().ok());
}

}  // namespace
}  // namespace shopstream::lake
