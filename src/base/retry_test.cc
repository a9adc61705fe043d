#include "base/retry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/error_kind.h"
#include "base/testing.h"

namespace shopstream {
namespace {

constexpr BootClock::time_point kStart{std::chrono::hours(1)};

TEST(Backoff, CeilingDoublesUpToTheLongest) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Backoff backoff({Millis{100}, Millis{400}, Millis{60000}}, seed);
    for (int64_t ceiling : {100, 200, 400, 400, 400}) {
      const auto pause = backoff.Next(kStart);
      ASSERT_TRUE(pause);
      EXPECT_GE(pause->count(), 1);
      EXPECT_LE(pause->count(), ceiling);
    }
  }
}

TEST(Backoff, DrawsFromTheWholeRange) {
  int64_t least = 1000, most = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const int64_t pause =
        Backoff({Millis{1000}, Millis{1000}, Millis{60000}}, seed).Next(kStart)->count();
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_LT(least, 50);
  EXPECT_GT(most, 950);
}

TEST(Backoff, EndsWhenTheTimeIsUp) {
  Backoff backoff({Millis{100}, Millis{5000}, Millis{1000}}, 1);
  EXPECT_TRUE(backoff.Next(kStart));
  const auto last = backoff.Next(kStart + Millis{990});
  ASSERT_TRUE(last);
  EXPECT_LE(last->count(), 10) << "no pause is handed out past the end";
  EXPECT_FALSE(backoff.Next(kStart + Millis{1000}));
  EXPECT_FALSE(backoff.Next(kStart + std::chrono::hours(1)));
}

TEST(Backoff, StartsAgainAfterASuccess) {
  Backoff backoff({Millis{100}, Millis{5000}, Millis{1000}}, 1);
  backoff.Next(kStart);
  EXPECT_FALSE(backoff.Next(kStart + Millis{2000}));
  backoff.Reset();
  const auto pause = backoff.Next(kStart + Millis{3000});
  ASSERT_TRUE(pause);
  EXPECT_LE(pause->count(), 100);
}

// Returns the given outcomes one after another; repeats the last one forever.
class Step {
 public:
  explicit Step(std::vector<Status> outcomes) : outcomes_(std::move(outcomes)) {}
  Status operator()() {
    const size_t at = std::min<size_t>(tries++, outcomes_.size() - 1);
    return outcomes_[at];
  }
  int tries = 0;

 private:
  const std::vector<Status> outcomes_;
};

class RetryTest : public ::testing::Test {
 protected:
  Status Run(Step* step, StopToken stop = {}) {
    Retry retry({.patience = {Millis{100}, Millis{400}, Millis{10'000}},
                 .stop = std::move(stop),
                 .gave_up = "gave up counting",
                 .on_wait = [this](const Status& why, Millis) { waited_for_.push_back(why); }});
    return retry.Run([step] { return (*step)(); });
  }

  shopstream::testing::StoppedClock clock_;
  std::vector<Status> waited_for_;
};

TEST_F(RetryTest, WhatIsUnavailableIsTriedAgain) {
  Step step({Unavailable("no answer"), Unavailable("no answer"), Status::OK()});
  EXPECT_TRUE(Run(&step).ok());
  EXPECT_EQ(3, step.tries);
  EXPECT_EQ(2u, waited_for_.size());
  EXPECT_EQ(2, clock_.waits);
}

TEST_F(RetryTest, AnErrorOfAnyOtherKindIsFinal) {
  for (const Status& final : {Refused("x"), Corrupt("x"), Gone("x"), Status::Invalid("x")}) {
    Step step({final});
    EXPECT_EQ(final, Run(&step));
    EXPECT_EQ(1, step.tries);
  }
  EXPECT_EQ(0, clock_.waits);
}

TEST_F(RetryTest, PatienceRunsOutAndTheLastErrorSaysSo) {
  Step step({Unavailable("no answer")});
  const Status status = Run(&step);
  EXPECT_TRUE(IsUnavailable(status));
  EXPECT_EQ("gave up counting: no answer", status.message());
  EXPECT_EQ(BootClock::time_point{} + Millis{10'000}, clock_.now);
}

TEST_F(RetryTest, AStopEndsThePauseAndReturnsWhatWasWaitedFor) {
  StopSource source;
  clock_.on_wait = [&] { source.Request(); };
  Step step({Unavailable("no answer")});
  EXPECT_EQ("no answer", Run(&step, StopToken(&source)).message());
  EXPECT_EQ(1, step.tries);
  EXPECT_EQ(1, clock_.waits);
}

TEST_F(RetryTest, AStoppedTokenTriesOnceAndDoesNotWait) {
  StopSource source;
  source.Request();
  Step step({Unavailable("no answer")});
  EXPECT_FALSE(Run(&step, StopToken(&source)).ok());
  EXPECT_EQ(1, step.tries);
  EXPECT_EQ(0, clock_.waits);
}

TEST_F(RetryTest, AResultIsReturned) {
  Retry retry({.patience = {}});
  int tries = 0;
  const Result<int> result = retry.Run([&]() -> Result<int> {
    if (++tries < 2) return Unavailable("not yet");
    return 7;
  });
  EXPECT_EQ(7, *result);
}

TEST_F(RetryTest, ProgressStartsPatienceAnew) {
  Retry retry({.patience = {Millis{100}, Millis{100}, Millis{1000}}});
  for (int part = 0; part < 5; ++part) {
    const auto until = clock_.now + Millis{800};
    while (clock_.now < until) ASSERT_TRUE(retry.Wait(Unavailable("busy")).ok());
    retry.Succeeded();
  }
}

}  // namespace
}  // namespace shopstream
