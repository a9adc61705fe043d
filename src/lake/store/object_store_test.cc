#include "lake/store/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lake/store/disk_store.h"
#include "lake/store/put_proof.h"
#include "lake/store/uuid.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<ObjectStore>(const std::string& root)> open;
  int64_t clock_step_ms = 0;  // The resolution of its clock.
};

// A real one, at the address set by tests/test_s3.py. Credentials come from AWS's own variables.
std::unique_ptr<ObjectStore> OpenS3(const std::string& root) {
  Config config;
  config.s3.endpoint = std::getenv("SHOPSTREAM_TEST_S3_ENDPOINT");
  config.lake.uri = std::string("s3://") + std::getenv("SHOPSTREAM_TEST_S3_BUCKET") + "/" +
                    root.substr(root.rfind('/') + 1);
  return *OpenObjectStore(config);
}

std::vector<Kind> Services() {
  if (std::getenv("SHOPSTREAM_TEST_S3_ENDPOINT") == nullptr) return {};
  return {{"S3", OpenS3, 1000}};
}

std::vector<Kind> Stores() {
  std::vector<Kind> kinds = {
      {"Disk", [](const std::string& root) { return *DiskStore::Open(root, root); }},
      {"Memory", [](const std::string&) { return std::make_unique<MemoryStore>(); }},
      {"Faulty", [](const std::string&) {
         return std::make_unique<FaultyStore>(std::make_unique<MemoryStore>());
       }}};
  for (Kind& service : Services()) kinds.push_back(std::move(service));
  return kinds;
}

// Guarantees of every store.
class StoreContract : public ::testing::TestWithParam<Kind> {
 protected:
  ~StoreContract() override { std::filesystem::remove_all(root_); }

  Status Put(const std::string& path, const std::string& text) {
    return store_->Put(path, *arrow::Buffer::FromString(text));
  }
  PutOutcome PutIfAbsent(const std::string& path, const std::string& text) {
    return store_->PutIfAbsent(path, *arrow::Buffer::FromString(text)).ValueOrDie();
  }
  std::string Text(const std::string& path) {
    const auto content = store_->Get(path).ValueOrDie();
    return content == nullptr ? "(none)" : content->ToString();
  }
  std::vector<std::string> Paths(const std::string& prefix, const std::string& after = "") {
    std::vector<std::string> paths;
    for (const auto& entry : store_->List(prefix, after).ValueOrDie()) paths.push_back(entry.path);
    return paths;
  }

  const std::string root_ = ::testing::TempDir() + "object_store_test-" + NewUuid();
  const std::unique_ptr<ObjectStore> store_ = GetParam().open(root_);
};

TEST_P(StoreContract, WhatIsPutIsThere) {
  ASSERT_TRUE(Put("t/a", "one").ok());
  EXPECT_EQ("one", Text("t/a"));
  ASSERT_TRUE(Put("t/a", "two!").ok());
  EXPECT_EQ("two!", Text("t/a"));
  ASSERT_TRUE(Put("t/empty", "").ok());
  EXPECT_EQ("", Text("t/empty"));
  EXPECT_EQ("(none)", Text("t/b"));
  EXPECT_EQ(4, store_->List("t/a").ValueOrDie().at(0).size_bytes);
}

TEST_P(StoreContract, TakesTheNamesThatDeltaGivesFolders) {
  for (const char* path : {"t/region=US/date=2025-10-24/a", "t/a b%c+d", "t/é=1/ü", "t/q?x=1&y#z",
                           "t/region=a%2Fb/x", "t/~'()*!;:@$,[]/x", "t/\"q\"<>\\|^`{}"}) {
    EXPECT_EQ(PutOutcome::kCreated, PutIfAbsent(path, path)) << path;
    EXPECT_EQ(PutOutcome::kExists, PutIfAbsent(path, "other")) << path;
    EXPECT_EQ(path, Text(path));
    EXPECT_THAT(Paths(path), ElementsAre(path));
    const auto file = store_->OpenInput(path);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(path, (*file)->ReadAt(0, 1000).ValueOrDie()->ToString());
    const auto output = store_->OpenOutput(path);
    ASSERT_TRUE(output.ok()) << output.status();
    ASSERT_TRUE((*output)->Write("new").ok());
    ASSERT_TRUE((*output)->Close().ok());
    EXPECT_EQ("new", Text(path));
    EXPECT_TRUE(store_->Delete(path).ok());
    EXPECT_EQ("(none)", Text(path));
  }
  EXPECT_THAT(Paths(""), IsEmpty());
}

TEST_P(StoreContract, OfManyWritersOneCreates) {
  std::atomic<int> created = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      for (int version = 0; version < 5; ++version) {
        created += PutIfAbsent("log/" + std::to_string(version), std::to_string(i)) ==
                   PutOutcome::kCreated;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(5, created);
}

TEST_P(StoreContract, ListsAnyPrefixInByteOrder) {
  for (const char* path :
       {"t/log/000", "t/log/001", "t/log/010", "t/log/_last", "t/a/b/c", "t/a.x"}) {
    ASSERT_TRUE(Put(path, "x").ok());
  }
  EXPECT_THAT(Paths("t/log/0"), ElementsAre("t/log/000", "t/log/001", "t/log/010"));
  EXPECT_THAT(Paths("t/log/", "t/log/001"), ElementsAre("t/log/010", "t/log/_last"));
  EXPECT_THAT(Paths("t/log/", "t/log/0000"), ElementsAre("t/log/001", "t/log/010", "t/log/_last"));
  EXPECT_THAT(Paths("t/a"), ElementsAre("t/a.x", "t/a/b/c"));
  EXPECT_THAT(Paths("none"), IsEmpty());
  EXPECT_THAT(*store_->ListFolders(""), ElementsAre("t"));
  EXPECT_THAT(*store_->ListFolders("t"), ElementsAre("a", "log"));
  EXPECT_THAT(*store_->ListFolders("none"), IsEmpty());
}

TEST_P(StoreContract, ListsMoreThanAPage) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      for (int n = i; n < 1100; n += 8)
        EXPECT_TRUE(Put("t/" + std::to_string(10000 + n), "x").ok());
    });
  }
  for (auto& writer : writers) writer.join();
  const auto paths = Paths("t/");
  ASSERT_EQ(1100U, paths.size());
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
  EXPECT_EQ(1U, Paths("t/", "t/11098").size());
}

TEST_P(StoreContract, ReadsParts) {
  ASSERT_TRUE(Put("t/a", "0123456789").ok());
  const auto file = store_->OpenInput("t/a").ValueOrDie();
  EXPECT_EQ(10, *file->GetSize());
  EXPECT_EQ("3456", file->ReadAt(3, 4).ValueOrDie()->ToString());
  EXPECT_EQ("89", file->ReadAt(8, 100).ValueOrDie()->ToString());
  const auto absent = store_->OpenInput("t/none");
  EXPECT_TRUE(absent.status().IsIOError());
  EXPECT_THAT(absent.status().message(), ::testing::HasSubstr("t/none"));
}

TEST_P(StoreContract, DeletesOnceOrTwice) {
  ASSERT_TRUE(Put("t/a", "x").ok());
  EXPECT_TRUE(store_->Delete("t/a").ok());
  EXPECT_TRUE(store_->Delete("t/a").ok());
  EXPECT_THAT(Paths(""), IsEmpty());  // The folder is gone too.
}

TEST_P(StoreContract, KeepsWhatItPromises) {
  EXPECT_TRUE(RacePutIfAbsent(store_.get(), "t").ok());
  EXPECT_THAT(Paths(""), IsEmpty());
}

class EndOfStores : public ::testing::Environment {
  void TearDown() override { ShutdownObjectStores(); }
};
const auto* const kEndOfStores = ::testing::AddGlobalTestEnvironment(new EndOfStores);

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::ValuesIn(Stores()),
                         [](const auto& kind) { return kind.param.name; });

// Guarantees of every store about objects written piece by piece.
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
  EXPECT_LE(stamped, store_->Now().ValueOrDie() + GetParam().clock_step_ms);
  EXPECT_GT(before, 1'600'000'000'000);
}

TEST_P(OutputContract, OfManyPiecesIsAllOrNothing) {
  const std::string piece(1 << 20, 'x');
  for (const bool whole : {false, true}) {
    const auto output = store_->OpenOutput("t/large").ValueOrDie();
    for (int i = 0; i < 24; ++i) ASSERT_TRUE(output->Write(piece).ok());
    EXPECT_THAT(Paths(), IsEmpty());
    ASSERT_TRUE((whole ? output->Close() : output->Abort()).ok());
    EXPECT_EQ(whole ? 1U : 0U, Paths().size());
  }
  EXPECT_EQ(24 << 20, store_->List("t/large").ValueOrDie().at(0).size_bytes);
}

TEST_P(OutputContract, ALiveWriterIsNotAbandoned) {
  const auto output = Begin("a");
  EXPECT_EQ(0, store_->RemoveAbandonedWrites(std::chrono::milliseconds(-1)).ValueOrDie());
  ASSERT_TRUE(output->Close().ok());
  EXPECT_EQ("one,two", Text("a"));
}

INSTANTIATE_TEST_SUITE_P(Stores, OutputContract, ::testing::ValuesIn(Stores()),
                         [](const auto& kind) { return kind.param.name; });

// A service cannot distinguish a slow writer from a dead one, so a live one will do.
class UploadContract : public OutputContract {};

TEST_P(UploadContract, WhatADeadWriterLeftIsGivenUpOnceItIsOld) {
  const auto output = store_->OpenOutput("t/large").ValueOrDie();
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 24; ++i) ASSERT_TRUE(output->Write(piece).ok());
  // A dead writer has no part in flight; a part that is may bring the upload back.
  ASSERT_TRUE(output->Flush().ok());
  EXPECT_EQ(0, *store_->RemoveAbandonedWrites(std::chrono::hours(1)));
  // Its clock has a resolution of a second, which makes an upload seem younger than it is.
  EXPECT_EQ(1, *store_->RemoveAbandonedWrites(std::chrono::seconds(-2)));
  EXPECT_EQ(0, *store_->RemoveAbandonedWrites(std::chrono::seconds(-2)));
  EXPECT_TRUE(output->Close().IsIOError());
  EXPECT_THAT(Paths(), IsEmpty());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UploadContract);
INSTANTIATE_TEST_SUITE_P(Services, UploadContract, ::testing::ValuesIn(Services()),
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
