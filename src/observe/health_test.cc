#include "observe/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
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
