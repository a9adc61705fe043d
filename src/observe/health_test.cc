#include "observe/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace shopstream::observe {
namespace {

HealthCheck Healthy(const std::string& name) {
  return {name, [name] { return ComponentHealth{name, HealthState::kOk, "fine", ""}; }};
}

std::vector<ComponentHealth> ReportOf(std::vector<HealthCheck> checks, Millis timeout) {
  return HealthRunner(std::move(checks)).Run(timeout);
}

TEST(Health, ReportsInTheOrderOfTheChecks) {
  const auto report = ReportOf({Healthy("a"), Healthy("b"), Healthy("c")}, Millis{10'000});
  ASSERT_EQ(3u, report.size());
  EXPECT_EQ("a", report[0].component);
  EXPECT_EQ("c", report[2].component);
  EXPECT_EQ(HealthState::kOk, report[2].state);
}

TEST(Health, AHangingCheckIsDownAndHidesNoOther) {
  const auto release = std::make_shared<std::promise<void>>();
  const HealthCheck hanging{"lake", [release, released = release->get_future().share()] {
                              released.wait();
                              return ComponentHealth{};
                            }};
  const auto report = ReportOf({hanging, Healthy("registry")}, Millis{200});
  release->set_value();
  ASSERT_EQ(2u, report.size());
  EXPECT_EQ("lake", report[0].component);
  EXPECT_EQ(HealthState::kDown, report[0].state);
  EXPECT_THAT(report[0].detail, testing::HasSubstr("200 ms"));
  EXPECT_EQ(HealthState::kOk, report[1].state);
}

TEST(Health, ACheckThatThrowsIsDown) {
  const HealthCheck broken{"topic", []() -> ComponentHealth { throw std::runtime_error("boom"); }};
  const auto report = ReportOf({broken}, Millis{10'000});
  EXPECT_EQ(HealthState::kDown, report[0].state);
  EXPECT_EQ("boom", report[0].detail);
}

TEST(Health, AHangingCheckIsNotStartedAgainUntilItReturns) {
  const auto release = std::make_shared<std::promise<void>>();
  const auto starts = std::make_shared<std::atomic<int>>(0);
  const auto returned = std::make_shared<std::promise<void>>();
  HealthRunner runner({{"lake", [=, released = release->get_future().share()] {
                          if (++*starts > 1)
                            return ComponentHealth{"lake", HealthState::kOk, "", ""};
                          released.wait();
                          returned->set_value();
                          return ComponentHealth{"lake", HealthState::kDegraded, "", ""};
                        }}});
  EXPECT_THAT(runner.Run(Millis{5})[0].detail, testing::HasSubstr("no answer within 5 ms"));
  EXPECT_THAT(runner.Run(Millis{5})[0].detail, testing::HasSubstr("no answer since "));
  EXPECT_EQ(1, *starts);
  release->set_value();
  returned->get_future().wait();
  // Its late answer, or a fresh one if the thread has finished by now.
  HealthState state = HealthState::kDown;
  while (state != HealthState::kOk) state = runner.Run(Millis{10'000})[0].state;
  EXPECT_EQ(2, *starts);
}

// Two checks after a first run in which both were ok: "lake" then hangs until the promise is kept,
// "broker" is down.
struct OneHangs {
  std::shared_ptr<std::promise<void>> release = std::make_shared<std::promise<void>>();
  HealthRunner runner{Checks(release->get_future().share())};

  static std::vector<HealthCheck> Checks(const std::shared_future<void>& released) {
    const auto check = [](const std::string& name, std::function<HealthState()> second) {
      const auto starts = std::make_shared<std::atomic<int>>(0);
      return HealthCheck{name, [=] {
                           const bool is_first = ++*starts == 1;
                           const HealthState state = is_first ? HealthState::kOk : second();
                           return ComponentHealth{name, state, "", ""};
                         }};
    };
    return {check("lake",
                  [released] {
                    released.wait();
                    return HealthState::kDegraded;
                  }),
            check("broker", [] { return HealthState::kDown; })};
  }

  // The report in which the component has this state.
  std::vector<ComponentHealth> Until(size_t component, HealthState state, Millis timeout) {
    while (true) {
      const auto report = runner.Next(Millis{0}, timeout, Millis{10'000});
      if (report && (*report)[component].state == state) return *report;
    }
  }
};

TEST(Health, AWatchShowsANewStateWhileAnotherCheckHangs) {
  OneHangs watch;
  EXPECT_EQ(HealthState::kOk, watch.runner.Run(Millis{10'000})[1].state);
  const auto report = watch.Until(1, HealthState::kDown, Millis{3'600'000});
  EXPECT_EQ(HealthState::kOk, report[0].state);  // Its previous answer.
  watch.release->set_value();
  watch.Until(0, HealthState::kDegraded, Millis{3'600'000});
}

TEST(Health, AWatchShowsACheckThatHangsAsDownUntilItAnswers) {
  OneHangs watch;
  watch.runner.Run(Millis{10'000});
  const auto report = watch.Until(0, HealthState::kDown, Millis{20});
  EXPECT_THAT(report[0].detail, testing::HasSubstr("no answer since "));
  watch.release->set_value();
  watch.Until(0, HealthState::kDegraded, Millis{3'600'000});
}

TEST(Health, AWatchWithoutNewsHasNoReport) {
  HealthRunner runner({Healthy("a")});
  runner.Run(Millis{10'000});
  EXPECT_FALSE(runner.Next(Millis{3'600'000}, Millis{10'000}, Millis{1}));
}

TEST(HealthHistory, KnowsChangesAndSinceWhen) {
  HealthHistory history;
  const auto report = [](HealthState a, HealthState b) {
    return std::vector<ComponentHealth>{{"a", a, "x", ""}, {"b", b, "y", ""}};
  };
  EXPECT_TRUE(history.Add(report(HealthState::kOk, HealthState::kDown), 1000).empty());
  EXPECT_TRUE(history.Add(report(HealthState::kOk, HealthState::kDown), 2000).empty());
  EXPECT_EQ(1000, history.since_ms("b"));
  const auto changes = history.Add(report(HealthState::kOk, HealthState::kNotAllowed), 3000);
  ASSERT_EQ(1u, changes.size());
  EXPECT_EQ(HealthState::kDown, changes[0].before);
  EXPECT_EQ("b", changes[0].now.component);
  EXPECT_EQ(1000, history.since_ms("a"));
  EXPECT_EQ(3000, history.since_ms("b"));
}

}  // namespace
}  // namespace shopstream::observe
