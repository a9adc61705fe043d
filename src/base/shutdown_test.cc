#include "base/shutdown.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace shopstream {
namespace {

// Each case exits its own process: a stop request cannot be undone.
class ShutdownDeathTest : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST(Shutdown, SleepEndsByItselfWithoutARequest) {
  EXPECT_FALSE(ShutdownRequested());
  const auto before = BootClock::now();
  EXPECT_FALSE(SleepUnlessShutdown(Millis{20}));
  EXPECT_GE(BootClock::now() - before, Millis{20});
  EXPECT_FALSE(SleepUnlessShutdown(Millis{0}));
}

TEST_F(ShutdownDeathTest, ASignalWakesEverySleeper) {
  EXPECT_EXIT(
      {
        InstallShutdownHandlers();
        bool woken = false;
        std::thread sleeper([&] { woken = SleepUnlessShutdown(std::chrono::hours(1)); });
        kill(getpid(), SIGTERM);
        sleeper.join();
        const bool again = SleepUnlessShutdown(std::chrono::hours(1));
        std::exit(woken && again && ShutdownRequested() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(ShutdownDeathTest, ASecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        InstallShutdownHandlers();
        raise(SIGINT);
        raise(SIGINT);
        std::exit(0);
      },
      testing::ExitedWithCode(130), "");
}

TEST_F(ShutdownDeathTest, WhoTakesInterruptsIsNotStoppedByThem) {
  EXPECT_EXIT(
      {
        InstallShutdownHandlers();
        {
          InterruptScope scope;
          raise(SIGINT);
          raise(SIGINT);
          if (ShutdownRequested() || !scope.Take() || scope.Take()) std::exit(1);
          raise(SIGTERM);
          if (!ShutdownRequested()) std::exit(2);
        }
        raise(SIGINT);  // The second of those that request a stop.
        std::exit(3);
      },
      testing::ExitedWithCode(130), "");
}

TEST_F(ShutdownDeathTest, ARequestFromInsideDoesNotCountAsASignal) {
  EXPECT_EXIT(
      {
        InstallShutdownHandlers();
        RequestShutdown();
        raise(SIGINT);
        std::exit(SleepUnlessShutdown(std::chrono::hours(1)) ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
}

TEST_F(ShutdownDeathTest, ItIsOverdueOnceTheGraceIsOver) {
  EXPECT_EXIT(
      {
        SetShutdownGrace(Millis{20});
        const bool before = ShutdownOverdue();
        RequestShutdown();
        const auto requested = BootClock::now();
        while (!ShutdownOverdue()) std::this_thread::yield();
        const bool in_time = BootClock::now() - requested >= Millis{19};
        std::exit(!before && in_time ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(ShutdownDeathTest, ASecondRequestDoesNotExtendTheGrace) {
  EXPECT_EXIT(
      {
        SetShutdownGrace(Millis{50});
        RequestShutdown();
        const auto requested = BootClock::now();
        // If each request counted, it would never be overdue.
        while (!ShutdownOverdue() && BootClock::now() - requested < std::chrono::seconds(20)) {
          RequestShutdown();
        }
        std::exit(ShutdownOverdue() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace shopstream
