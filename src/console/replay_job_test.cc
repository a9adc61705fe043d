#include "console/replay_job.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"

namespace shopstream::console {
namespace {

constexpr Millis kLong{60'000};

// A replay that the test ends.
class HeldReplay {
 public:
  ReplayJob::Run Run() {
    return [this](const ingest::ReplayFilter&,
                  ingest::QuarantineReplay::Options options) -> Result<ingest::ReplaySummary> {
      ingest::ReplaySummary summary;
      summary.replayed = 3;
      options.progress(summary);
      std::unique_lock lock(mutex_);
      while (!released_) {
        changed_.wait_for(lock, Millis{1});
        if (options.stop()) return Status::Cancelled("the replay was stopped");
      }
      summary.replayed = 5;
      return summary;
    };
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
};

TEST(ReplayJobTest, AShortReplayIsOverWhenItsStartReturns) {
  HeldReplay held;
  held.Release();
  ReplayJob job(held.Run());
  EXPECT_EQ(R"({"exists":false})", DumpJson(ToJson(job.state())));
  const auto state = job.Start({.cause = "corrupt"}, kLong);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->running);
  EXPECT_EQ(5, state->summary.replayed);
  const auto json = ToJson(*state);
  EXPECT_EQ("done", json["state"]);
  EXPECT_EQ("corrupt", json["cause"]);
  EXPECT_EQ(2, job.Start({}, kLong)->number);
}

TEST(ReplayJobTest, ALongOneIsFollowedAndCancelledAndRunsAlone) {
  HeldReplay held;
  ReplayJob job(held.Run());
  EXPECT_FALSE(job.Cancel().ok());
  ASSERT_TRUE(job.Start({}, Millis{0})->running);
  EXPECT_TRUE(job.Start({}, Millis{0}).status().IsInvalid());
  EXPECT_EQ("running", ToJson(job.state())["state"]);
  EXPECT_TRUE(job.Cancel()->cancelled);
  while (job.state().running) std::this_thread::yield();
  EXPECT_EQ(3, job.state().summary.replayed);
  EXPECT_EQ("cancelled", ToJson(job.state())["state"]);
  held.Release();
  EXPECT_EQ("done", ToJson(*job.Start({}, kLong))["state"]);
}

TEST(ReplayJobTest, TheEndOfTheConsoleEndsIt) {
  HeldReplay held;
  ReplayJob job(held.Run());
  ASSERT_TRUE(job.Start({}, Millis{0})->running);
}

TEST(ReplayJobTest, OnlyTheEndOfALongOneIsReported) {
  HeldReplay held;
  std::vector<std::string> ends;
  {
    ReplayJob job(held.Run());
    const auto on_end = [&](const ReplayJob::State& state) {
      ends.push_back(ToJson(state)["state"]);
    };
    ASSERT_TRUE(job.Start({}, Millis{0}, on_end)->running);
    held.Release();
    while (job.state().running) std::this_thread::yield();
    ASSERT_FALSE(job.Start({}, kLong, on_end)->running);  // Joins the first one's thread.
    EXPECT_EQ(std::vector<std::string>{"done"}, ends);
  }
  HeldReplay never;
  {
    ReplayJob job(never.Run());
    ASSERT_TRUE(
        job.Start({}, Millis{0},
                  [&](const ReplayJob::State& state) { ends.push_back(ToJson(state)["state"]); })
            ->running);
  }
  EXPECT_EQ((std::vector<std::string>{"done", "cancelled"}), ends);
}

TEST(ReplayJobTest, AFailureIsShown) {
  ReplayJob job([](const ingest::ReplayFilter&,
                   ingest::QuarantineReplay::Options) -> Result<ingest::ReplaySummary> {
    return Status::Invalid("no registry");
  });
  const auto json = ToJson(*job.Start({}, kLong));
  EXPECT_EQ("failed", json["state"]);
  EXPECT_EQ("no registry", json["error"]);
}

TEST(ReplayJobTest, AnExceptionIsAFailure) {
  ReplayJob job([](const ingest::ReplayFilter&,
                   ingest::QuarantineReplay::Options) -> Result<ingest::ReplaySummary> {
    throw std::runtime_error("a defect");
  });
  const auto state = job.Start({}, kLong);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->running);
  EXPECT_EQ("unexpected failure: a defect", state->error);
}

}  // namespace
}  // namespace shopstream::console
