#include "simulate/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

namespace shopstream::simulate {
namespace {

using ::testing::ElementsAre;

class SchedulerTest : public ::testing::Test {
 protected:
  void Run(Millis time = Millis{1'000'000}) {
    scheduler_.Run([] { return false; }, scheduler_.time() + time);
  }
  int64_t SinceStart() const {
    return std::chrono::duration_cast<Millis>(scheduler_.time() - start_).count();
  }

  Chance chance_{7};
  Trace trace_;
  Scheduler scheduler_{&chance_, &trace_};
  const BootClock::time_point start_ = scheduler_.time();
  std::vector<std::string> happened_;
};

TEST_F(SchedulerTest, TimePassesWhileAllWaitAndEachWakesInItsTurn) {
  for (const int pause : {300, 100, 200}) {
    scheduler_.StartProgram("p", [this, pause] {
      Sleep(Millis{pause});
      happened_.push_back(std::to_string(SinceStart()));
    });
  }
  Run();
  EXPECT_THAT(happened_, ElementsAre("100", "200", "300"));
}

TEST_F(SchedulerTest, ASignalWakesWhoWaitsForIt) {
  scheduler_.StartProgram("p", [this] {
    std::mutex mutex;
    Signal signal;
    bool ready = false;
    Thread other([&] {
      Sleep(Millis{50});
      const std::lock_guard lock(mutex);
      ready = true;
      signal.NotifyAll();
    });
    std::unique_lock lock(mutex);
    EXPECT_FALSE(signal.WaitFor(&lock, Millis{20}, [&] { return ready; }));
    EXPECT_TRUE(signal.WaitFor(&lock, Millis{100'000}, [&] { return ready; }));
    EXPECT_EQ(50, SinceStart());
    lock.unlock();
    other.join();
    happened_.push_back("joined");
  });
  Run();
  EXPECT_THAT(happened_, ElementsAre("joined"));
}

TEST_F(SchedulerTest, ASuspendedProgramMissesItsTimeAndItsClockShowsIt) {
  const int program = scheduler_.StartProgram("p", [this] {
    const auto before = BootClock::now();
    Sleep(Millis{10});
    EXPECT_EQ(Millis{5000}, BootClock::now() - before);
    happened_.push_back(std::to_string(SinceStart()));
  });
  scheduler_.Suspend(program, Millis{0});
  scheduler_.After(Millis{5}, [&] { scheduler_.Suspend(program, Millis{4995}); });
  Run();
  EXPECT_THAT(happened_, ElementsAre("5000"));
}

TEST_F(SchedulerTest, ACrashedProgramComesToItsEndWithoutTakingTime) {
  const int program = scheduler_.StartProgram("p", [this] {
    bool stop = false;
    Thread other([&] {
      while (!stop) Sleep(Millis{1000});
      happened_.push_back("thread");
    });
    while (!scheduler_.dead()) Sleep(Millis{700});
    // Would otherwise be a long wait.
    Sleep(Millis{600'000});
    stop = true;
    other.join();
    happened_.push_back("main");
  });
  scheduler_.After(Millis{1500}, [&] { scheduler_.Crash(program); });
  Run(Millis{2000});
  EXPECT_THAT(happened_, ElementsAre("thread", "main"));
  EXPECT_TRUE(scheduler_.ended(program));
  EXPECT_EQ(1500, SinceStart());
}

TEST_F(SchedulerTest, ClocksOfProgramsDifferAndOneCanBeMoved) {
  std::vector<int64_t> walls;
  std::vector<BootClock::time_point> boots;
  for (int i = 0; i < 2; ++i) {
    scheduler_.StartProgram("p", [&] {
      Sleep(Millis{10});
      walls.push_back(WallClockMillis());
      boots.push_back(BootClock::now());
    });
  }
  scheduler_.MoveWallClock(0, Millis{-250});
  Run();
  ASSERT_EQ(2, walls.size());
  EXPECT_EQ(250, std::abs(walls[0] - walls[1]));
  EXPECT_NE(boots[0], boots[1]);
}

TEST(SchedulerReplayTest, OfOneSeedTheSameFollows) {
  const auto run = [](uint64_t seed) {
    Chance chance(seed);
    Trace trace(/*keep_text=*/true);
    Scheduler scheduler(&chance, &trace);
    for (int i = 0; i < 4; ++i) {
      scheduler.StartProgram(std::to_string(i), [&] {
        for (int step = 0; step < 20; ++step) {
          scheduler.Pass(Millis{static_cast<int64_t>(RandomBits() % 5)});
          scheduler.Note("steps");
        }
      });
    }
    scheduler.Run([] { return false; }, BootClock::time_point::max());
    return trace.text();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace shopstream::simulate
