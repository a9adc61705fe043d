#include "observe/progress_ticker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace shopstream::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ProgressTickerTest : public testing::Test {
 protected:
  std::vector<std::string> said_;
  std::function<void(const std::string&)> say_ = [this](const std::string& line) {
    said_.push_back(line);
  };
};

TEST_F(ProgressTickerTest, EachLineShowsTheWhole) {
  ProgressTicker ticker(say_, Millis{0});
  ASSERT_TRUE(ticker.Tick("records read", 450'000, 1'669'307).ok());
  ASSERT_TRUE(ticker.Tick("records read", 1'669'306, 1'669'307).ok());
  ASSERT_TRUE(ticker.Tick("records read", 1'669'307, 1'669'307).ok());
  EXPECT_THAT(said_, ElementsAre("records read: 450,000 of 1,669,307 (26 %)",
                                 "records read: 1,669,306 of 1,669,307 (99 %)",
                                 "records read: 1,669,307 of 1,669,307 (100 %)"));
}

TEST_F(ProgressTickerTest, ShortStepsAreSilent) {
  ProgressTicker ticker(say_, Millis{3'600'000});
  ASSERT_TRUE(ticker.Tick("rows read", 1, 2).ok());
  ASSERT_TRUE(ticker.Tick("rows read", 2, 2).ok());
  ASSERT_TRUE(ticker.Tick("rows read", 0, 0).ok());
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ProgressTickerTest, AStepThatHadALineHasALastOne) {
  auto ticker = std::make_unique<ProgressTicker>(say_, Millis{20});
  while (said_.empty()) ASSERT_TRUE(ticker->Tick("rows read", 1, 4).ok());
  ASSERT_TRUE(ticker->Tick("rows read", 4, 4).ok());
  ASSERT_TRUE(ticker->Tick("another step", 4, 4).ok());
  EXPECT_THAT(said_, ElementsAre("rows read: 1 of 4 (25 %)", "rows read: 4 of 4 (100 %)"));
}

// A compacted topic has fewer records than offsets.
TEST_F(ProgressTickerTest, MoreOrFewerThanExpectedStillEndAtTheWhole) {
  ProgressTicker ticker(say_, Millis{0});
  ASSERT_TRUE(ticker.Tick("records read", 3, 10).ok());
  ASSERT_TRUE(ticker.Tick("records read", 4, 4).ok());
  ASSERT_TRUE(ticker.Tick("rows read", 12, 10).ok());
  EXPECT_THAT(said_, ElementsAre("records read: 3 of 10 (30 %)", "records read: 4 of 4 (100 %)",
                                 "rows read: 12 of 12 (100 %)"));
}

}  // namespace
}  // namespace shopstream::observe
