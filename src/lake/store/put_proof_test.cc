#include "lake/store/put_proof.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

using ::testing::HasSubstr;

constexpr char kFolder[] = "bronze-events";

class RemoteMemoryStore : public MemoryStore {
 public:
  bool IsRemote() const override { return true; }
  // The objects that the proofs have left behind.
  size_t Objects() { return List("", "").ValueOrDie().size(); }
};

// Checks first and writes afterwards. In between it waits for another writer of the same name; a
// writer that comes alone gets the correct answer.
class RacyStore : public RemoteMemoryStore {
 public:
  // Applies only to names with this suffix.
  explicit RacyStore(std::string names) : names_(std::move(names)) {}

  Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) override {
    if (!path.ends_with(names_)) return MemoryStore::PutIfAbsent(path, content);
    ARROW_ASSIGN_OR_RAISE(const auto there, Get(path));
    if (there != nullptr) return PutOutcome::kExists;
    {
      std::unique_lock lock(mutex_);
      ++looked_[path];
      met_.notify_all();
      met_.wait_for(lock, Millis{500}, [&] { return looked_[path] > 1; });
    }
    ARROW_RETURN_NOT_OK(Put(path, content));
    return PutOutcome::kCreated;
  }

 private:
  const std::string names_;
  std::mutex mutex_;
  std::condition_variable met_;
  std::map<std::string, int> looked_;
};

// A store with one fault, defined by its response to a put.
class LyingStore : public RemoteMemoryStore {
 public:
  using Lie = Result<PutOutcome> (*)(LyingStore* store, const std::string& path,
                                     const arrow::Buffer& content);
  explicit LyingStore(Lie lie) : lie_(lie) {}
  Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) override {
    return lie_(this, path, content);
  }
  Result<PutOutcome> Honest(const std::string& path, const arrow::Buffer& content) {
    return MemoryStore::PutIfAbsent(path, content);
  }

 private:
  const Lie lie_;
};

// Whether the store passes what two puts, one after the other, can prove.
bool RefusesALatePut(ObjectStore* store) {
  const auto text = arrow::Buffer::FromString("x");
  EXPECT_EQ(PutOutcome::kCreated, *store->PutIfAbsent("late", *text));
  const bool refused = *store->PutIfAbsent("late", *text) == PutOutcome::kExists;
  EXPECT_TRUE(store->Delete("late").ok());
  return refused;
}

TEST(PutProof, AStoreThatKeepsItPassesAndNothingIsLeft) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  ASSERT_TRUE(ProvePutIfAbsent(&store, kFolder).ok());
  EXPECT_EQ(kProofNames * kProofWriters + 2,
            store.Count(Operation::kPutIfAbsent, "bronze-events/.put-if-absent-"));
  EXPECT_EQ(0U, store.List("", "")->size());
}

TEST(PutProof, IsMadeOnceForEachStore) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  ASSERT_TRUE(ProvePutIfAbsent(&store, kFolder).ok());
  const int puts = store.Count(Operation::kPutIfAbsent);
  ASSERT_TRUE(ProvePutIfAbsent(&store, "bronze-quarantine").ok());
  EXPECT_EQ(puts, store.Count(Operation::kPutIfAbsent));
  FaultyStore other(std::make_unique<RemoteMemoryStore>());
  ASSERT_TRUE(ProvePutIfAbsent(&other, kFolder).ok());
  EXPECT_EQ(puts, other.Count(Operation::kPutIfAbsent));
}

TEST(PutProof, IsNotAskedOfADisk) {
  FaultyStore store(std::make_unique<MemoryStore>());
  ASSERT_TRUE(ProvePutIfAbsent(&store, kFolder).ok());
  EXPECT_EQ(0, store.Count(Operation::kPutIfAbsent));
  EXPECT_TRUE(RacePutIfAbsent(&store, kFolder).ok());
  EXPECT_LT(0, store.Count(Operation::kPutIfAbsent));
}

TEST(PutProof, AStoreThatLooksFirstAndWritesAfterwardsIsRefused) {
  for (const char* names : {"", "-00", "-19"}) {  // All of them, or one of the twenty.
    RacyStore store(names);
    EXPECT_TRUE(RefusesALatePut(&store));
    const Status status = ProvePutIfAbsent(&store, kFolder);
    EXPECT_TRUE(status.IsInvalid()) << status;
    EXPECT_THAT(status.message(), HasSubstr("ignores `If-None-Match: *`"));
    EXPECT_THAT(status.message(), HasSubstr("reported that they had created it"));
    EXPECT_EQ(0U, store.Objects());
    EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).IsInvalid()) << "no proof is none later either";
  }
}

TEST(PutProof, AStoreThatLetsALatePutReplaceIsRefused) {
  LyingStore store([](LyingStore* self, const std::string& path,
                      const arrow::Buffer& content) -> Result<PutOutcome> {
    ARROW_RETURN_NOT_OK(self->Put(path, content));
    return PutOutcome::kCreated;
  });
  EXPECT_FALSE(RefusesALatePut(&store));
  const Status status = ProvePutIfAbsent(&store, kFolder);
  EXPECT_TRUE(status.IsInvalid()) << status;
  EXPECT_THAT(status.message(), HasSubstr("it let a conditional put replace an existing object"));
  EXPECT_EQ(0U, store.Objects());
}

TEST(PutProof, AStoreThatKeepsWhatARefusedPutSentIsRefused) {
  LyingStore store([](LyingStore* self, const std::string& path,
                      const arrow::Buffer& content) -> Result<PutOutcome> {
    ARROW_ASSIGN_OR_RAISE(const PutOutcome outcome, self->Honest(path, content));
    if (outcome == PutOutcome::kExists) ARROW_RETURN_NOT_OK(self->Put(path, content));
    return outcome;
  });
  EXPECT_TRUE(RefusesALatePut(&store));
  const Status status = ProvePutIfAbsent(&store, kFolder);
  EXPECT_TRUE(status.IsInvalid()) << status;
  EXPECT_THAT(status.message(), HasSubstr("does not have the content of the only successful one"));
  EXPECT_EQ(0U, store.Objects());
}

TEST(PutProof, AStoreThatLosesWhatTheWinnerPutIsRefused) {
  LyingStore store([](LyingStore* self, const std::string& path, const arrow::Buffer& content) {
    auto outcome = self->Honest(path, content);
    const Status emptied =
        path.ends_with("-07") ? self->Put(path, *arrow::Buffer::FromString("")) : Status::OK();
    return emptied.ok() ? outcome : emptied;
  });
  EXPECT_TRUE(RefusesALatePut(&store));
  EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).IsInvalid());
}

// No put of this many of the names gets a reply.
void LoseRaces(FaultyStore* store, int names) {
  for (int name = 0; name < names; ++name) {
    store->On(Operation::kPutIfAbsent, fmt::format("race-{:02}", name)).LosesReply().Always();
  }
}

TEST(PutProof, LostRepliesAreNotHeldAgainstTheStore) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  LoseRaces(&store, 10);
  EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).ok());
}

TEST(PutProof, TooFewRepliesAreNoProof) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  LoseRaces(&store, 12);
  const Status status = ProvePutIfAbsent(&store, kFolder);
  EXPECT_TRUE(status.IsIOError()) << status;
  EXPECT_THAT(status.message(), HasSubstr("only 8 of 20 races"));
  EXPECT_THAT(status.message(), HasSubstr("lost the reply"));
  EXPECT_EQ(0U, store.List("", "")->size());
  store.Heal();
  EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).ok()) << "and may be tried again";
}

// If a first attempt succeeds but is answered by an error, the retry finds its own object.
TEST(PutProof, AWinnerThatWasToldItLostProvesNothing) {
  LyingStore store([](LyingStore* self, const std::string& path,
                      const arrow::Buffer& content) -> Result<PutOutcome> {
    ARROW_RETURN_NOT_OK(self->Honest(path, content).status());
    return path.ends_with("-single") ? self->Honest(path, content) : PutOutcome::kExists;
  });
  const Status status = ProvePutIfAbsent(&store, kFolder);
  EXPECT_TRUE(status.IsIOError()) << status;
  EXPECT_THAT(status.message(), HasSubstr("only 0 of 20 races"));
}

TEST(PutProof, AFailureAtAnyCallIsNoProofAndNoVerdict) {
  for (const auto operation : {Operation::kPutIfAbsent, Operation::kGet}) {
    FaultyStore store(std::make_unique<RemoteMemoryStore>());
    store.On(operation).FailsBefore().Always();
    EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).IsIOError());
    store.Heal();
    EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).ok());
    EXPECT_EQ(0U, store.List("", "")->size());
  }
}

TEST(PutProof, WhatAKilledProofLeftIsRemovedByALaterOne) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  store.On(Operation::kDelete).FailsBefore().Always();
  EXPECT_TRUE(RacePutIfAbsent(&store, kFolder).ok()) << "what is left over harms nobody";
  store.Heal();
  const size_t left = store.List("", "")->size();
  EXPECT_LT(0U, left);
  EXPECT_TRUE(RacePutIfAbsent(&store, kFolder).ok());
  EXPECT_EQ(left, store.List("", "")->size()) << "it may be the work of a proof that still runs";
  static_cast<MemoryStore*>(store.inner())->AdvanceClock(std::chrono::hours(2));
  EXPECT_TRUE(RacePutIfAbsent(&store, kFolder).ok());
  EXPECT_EQ(0U, store.List("", "")->size());
}

TEST(PutProof, TakesSecondsAtARoundTripOf50Milliseconds) {
  FaultyStore store(std::make_unique<RemoteMemoryStore>());
  store.OnAny().Delays(Millis{50}).Always();
  const auto begin = BootClock::now();
  EXPECT_TRUE(ProvePutIfAbsent(&store, kFolder).ok());
  EXPECT_LT(BootClock::now() - begin, Millis{4000});  // 15 round trips are 0.75 s.
}

}  // namespace
}  // namespace shopstream::lake
