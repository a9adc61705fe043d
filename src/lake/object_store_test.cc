#include "lake/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "lake/disk_store.h"
#include "lake/faulty_store.h"
#include "lake/memory_store.h"
#include "lake/uuid.h"

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<ObjectStore>(const std::string& root)> open;
};

// What every store promises about objects written piece by piece.
class OutputContract : public ::testing::TestWithParam<Kind> {
 protected:
  ~OutputContract() override { std::filesystem::remove_all(root_); }

  std::shared_ptr<arrow::io::OutputStream> Begin(const std::string& path) {
    auto output = store_->OpenOutput(path).ValueOrDie();
    EXPECT_TRUE(output->Write("one,").ok());
    EXPECT_TRUE(output->Write("two").ok());
    EXPECT_EQ(7, *output->Tell());
    return output;
  }
  std::string Text(const std::string& path) {
    const auto content = store_->Get(path).ValueOrDie();
    return content == nullptr ? "(none)" : content->ToString();
  }
  std::vector<std::string> Paths() {
    std::vector<std::string> paths;
    for (const auto& entry : store_->List("").ValueOrDie()) paths.push_back(entry.path);
    return paths;
  }

  const std::string root_ = ::testing::TempDir() + "object_store_test-" + NewUuid();
  const std::unique_ptr<ObjectStore> store_ = GetParam().open(root_);
};

TEST_P(OutputContract, IsThereWholeOnceClosed) {
  const auto output = Begin("t/region=US/a");
  EXPECT_THAT(Paths(), IsEmpty());
  EXPECT_FALSE(output->closed());
  ASSERT_TRUE(output->Close().ok());
  EXPECT_TRUE(output->closed());
  EXPECT_EQ("one,two", Text("t/region=US/a"));
  EXPECT_TRUE(output->Close().ok());
  EXPECT_THAT(Paths(), ElementsAre("t/region=US/a"));
}

TEST_P(OutputContract, ReplacesWhatStoodThereAtCloseOnly) {
  ASSERT_TRUE(store_->Put("a", *arrow::Buffer::FromString("before")).ok());
  const auto output = Begin("a");
  EXPECT_EQ("before", Text("a"));
  ASSERT_TRUE(output->Close().ok());
  EXPECT_EQ("one,two", Text("a"));
}

TEST_P(OutputContract, IsNeverThereWhereAborted) {
  const auto output = Begin("a");
  ASSERT_TRUE(output->Abort().ok());
  EXPECT_TRUE(output->closed());
  EXPECT_FALSE(output->Write("three").ok());
  EXPECT_THAT(Paths(), IsEmpty());
}

TEST_P(OutputContract, IsNeverThereWhereItGoesUnclosed) {
  Begin("a").reset();
  EXPECT_THAT(Paths(), IsEmpty());
}

TEST_P(OutputContract, TwoAtATimeAreApart) {
  const auto first = Begin("a");
  const auto second = Begin("b");
  ASSERT_TRUE(second->Close().ok());
  EXPECT_THAT(Paths(), ElementsAre("b"));
  ASSERT_TRUE(first->Close().ok());
  EXPECT_THAT(Paths(), ElementsAre("a", "b"));
}

TEST_P(OutputContract, ItsClockIsTheOneThatStampsObjects) {
  const int64_t before = store_->Now().ValueOrDie();
  ASSERT_TRUE(Begin("a")->Close().ok());
  const int64_t stamped = store_->List("a").ValueOrDie().at(0).modified_ms;
  EXPECT_LE(before, stamped);
  EXPECT_LE(stamped, store_->Now().ValueOrDie());
  EXPECT_GT(before, 1'600'000'000'000);
}

TEST_P(OutputContract, ALiveWriterIsNotAbandoned) {
  const auto output = Begin("a");
  EXPECT_EQ(0, store_->RemoveAbandonedWrites(std::chrono::milliseconds(-1)).ValueOrDie());
  ASSERT_TRUE(output->Close().ok());
  EXPECT_EQ("one,two", Text("a"));
}

INSTANTIATE_TEST_SUITE_P(
    Stores, OutputContract,
    ::testing::Values(
        Kind{"Disk", [](const std::string& root) { return *DiskStore::Open(root, root); }},
        Kind{"Memory", [](const std::string&) { return std::make_unique<MemoryStore>(); }},
        Kind{"Faulty",
             [](const std::string&) {
               return std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
             }}),
    [](const auto& kind) { return kind.param.name; });

class FaultyOutput : public ::testing::Test {
 protected:
  Status WriteAndClose() {
    ARROW_ASSIGN_OR_RAISE(const auto output, store_.OpenOutput("a"));
    ARROW_RETURN_NOT_OK(output->Write("one,"));
    ARROW_RETURN_NOT_OK(output->Write("two"));
    return output->Close();
  }
  bool IsThere() { return *store_.Get("a") != nullptr; }

  FaultyStore store_{std::make_unique<MemoryStore>()};
};

TEST_F(FaultyOutput, EachStepFailsAsTold) {
  for (const auto operation :
       {Operation::kOpenOutput, Operation::kWriteOutput, Operation::kCloseOutput}) {
    store_.On(operation, "a").FailsBefore();
    EXPECT_TRUE(WriteAndClose().IsIOError());
    EXPECT_FALSE(IsThere());
  }
  store_.On(Operation::kWriteOutput).Skipping(1).TearsWrite();
  EXPECT_TRUE(WriteAndClose().IsIOError());
  EXPECT_FALSE(IsThere());
  EXPECT_EQ(1U, store_.List(".a", "")->size());
  store_.On(Operation::kNow).FailsBefore();
  EXPECT_TRUE(store_.Now().status().IsIOError());
  store_.On(Operation::kRemoveAbandonedWrites).LosesReply();
  EXPECT_TRUE(store_.RemoveAbandonedWrites(std::chrono::hours(1)).status().IsIOError());
}

TEST_F(FaultyOutput, ALostReplyToCloseLeavesTheObject) {
  store_.On(Operation::kCloseOutput).LosesReply();
  EXPECT_TRUE(WriteAndClose().IsIOError());
  EXPECT_TRUE(IsThere());
}

TEST(MemoryStoreClock, GoesAheadAsTold) {
  MemoryStore store;
  const int64_t before = *store.Now();
  store.AdvanceClock(std::chrono::hours(25));
  ASSERT_TRUE(store.Put("a", *arrow::Buffer::FromString("x")).ok());
  EXPECT_GE(*store.Now(), before + 25 * 3600 * 1000);
  EXPECT_GE(store.List("a", "")->at(0).modified_ms, before + 25 * 3600 * 1000);
}

}  // namespace
}  // namespace shopstream::lake
