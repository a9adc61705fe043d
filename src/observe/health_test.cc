#include "observe/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>

namespace shopstream::observe {
namespace {

HealthCheck Healthy(const std::string& name) {
  return {name, [name] { return ComponentHealth{name, HealthState::kOk, "fine", ""}; }};
}

TEST(Health, ReportsInTheOrderOfTheChecks) {
  const auto report = RunHealthChecks({Healthy("a"), Healthy("b"), Healthy("c")}, Millis{10'000});
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
  const auto report = RunHealthChecks({hanging, Healthy("registry")}, Millis{200});
  release->set_value();
  ASSERT_EQ(2u, report.size());
  EXPECT_EQ("lake", report[0].component);
  EXPECT_EQ(HealthState::kDown, report[0].state);
  EXPECT_THAT(report[0].detail, testing::HasSubstr("200 ms"));
  EXPECT_EQ(HealthState::kOk, report[1].state);
}

TEST(Health, ACheckThatThrowsIsDown) {
  const HealthCheck broken{"topic", []() -> ComponentHealth { throw std::runtime_error("boom"); }};
  const auto report = RunHealthChecks({broken}, Millis{10'000});
  EXPECT_EQ(HealthState::kDown, report[0].state);
  EXPECT_EQ("boom", report[0].detail);
}

}  // namespace
}  // namespace shopstream::observe
