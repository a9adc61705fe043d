#include "observe/part_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>

#include "base/error_kind.h"

namespace shopstream::observe {
namespace {

using std::chrono::milliseconds;

Schedule Every(Millis interval, Millis limit = Millis{5000}) {
  return {.start = BootClock::now(), .interval = interval, .limit = limit};
}

TEST(Schedule, TheNextLookIsAMultipleOfTheIntervalAfterTheStart) {
  const Schedule schedule{.start = BootClock::time_point(milliseconds{1000}),
                          .interval = Millis{500}};
  const auto after = [&](int64_t ms) {
    const auto at = schedule.After(BootClock::time_point(milliseconds{ms}));
    return std::chrono::duration_cast<Millis>(at.time_since_epoch()).count();
  };
  EXPECT_EQ(after(0), 1000);
  EXPECT_EQ(after(1000), 1500);
  EXPECT_EQ(after(1499), 1500);
  EXPECT_EQ(after(1700), 2000);
}

TEST(PartWatch, ShowsWhatItsLooksSaw) {
  const Schedule schedule = Every(Millis{5});
  std::atomic<int> looks = 0;
  const PartWatch<int> watch(schedule,
                             [&](BootClock::time_point) -> Result<int> { return ++looks; });
  const Seen<int> first = watch.Await(schedule.start);
  ASSERT_TRUE(first.known());
  EXPECT_EQ(first.unknown, "");
  EXPECT_GT(first.at_ms, 0);
  EXPECT_GT(*watch.Await(BootClock::now() + Millis{5}).value, *first.value);
}

TEST(PartWatch, ALookThatFailsIsUnknownUntilOneSucceeds) {
  const Schedule schedule = Every(Millis{5});
  std::atomic<bool> fails = true;
  const PartWatch<int> watch(schedule, [&](BootClock::time_point) -> Result<int> {
    if (fails) return Unavailable("the server is away");
    return 1;
  });
  EXPECT_EQ(watch.Await(schedule.start).unknown, "the server is away");
  fails = false;
  EXPECT_TRUE(watch.Await(BootClock::now() + Millis{10}).known());
}

TEST(PartWatch, AnExceptionIsUnknownAndTheNextLookFollows) {
  const Schedule schedule = Every(Millis{5});
  std::atomic<bool> throws = true;
  const PartWatch<int> watch(schedule, [&](BootClock::time_point) -> Result<int> {
    if (throws) throw std::runtime_error("a defect");
    return 1;
  });
  EXPECT_EQ(watch.Await(schedule.start).unknown, "unexpected failure: a defect");
  throws = false;
  EXPECT_TRUE(watch.Await(BootClock::now() + Millis{10}).known());
}

TEST(PartWatch, ALookOverItsLimitIsUnknownAndHoldsUpNobody) {
  const Schedule schedule = Every(Millis{5}, Millis{20});
  std::promise<void> answer;
  std::atomic<int> looks = 0;
  const PartWatch<int> hangs(schedule, [&](BootClock::time_point) -> Result<int> {
    if (++looks == 2) answer.get_future().wait();
    return looks.load();
  });
  const PartWatch<int> other(schedule, [](BootClock::time_point) -> Result<int> { return 7; });
  EXPECT_TRUE(hangs.Await(schedule.start).known());
  EXPECT_EQ(hangs.Await(schedule.start + Millis{100}).unknown, "no answer within 20 ms");
  EXPECT_EQ(hangs.latest().unknown, "no answer within 20 ms");
  EXPECT_TRUE(other.latest().known());
  answer.set_value();
  EXPECT_TRUE(hangs.Await(BootClock::now() + Millis{10}).known());
}

TEST(PartWatch, AWatchWhoseLookHangsCanBeDestroyed) {
  const auto answer = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<void>>();
  const Schedule schedule = Every(Millis{5}, Millis{10});
  {
    const PartWatch<int> hangs(schedule, [answer, ended](BootClock::time_point) -> Result<int> {
      answer->get_future().wait();
      ended->set_value();
      return 1;
    });
    EXPECT_FALSE(hangs.Await(schedule.start).known());
  }
  answer->set_value();
  ended->get_future().wait();
}

}  // namespace
}  // namespace shopstream::observe
