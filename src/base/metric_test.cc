#include "base/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

#include "base/metrics_testing.h"

namespace shopstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PageShows;
using ::testing::Pair;

TEST(MetricTest, ObjectsOfOneNameAddUpAndKeepTheirOwnValues) {
  std::optional<Counter> first;
  first.emplace("test_added_total", "Added.");
  Counter second("test_added_total", "Added.");
  first->Add(3);
  second.Add(4);
  EXPECT_EQ(3, first->value());
  EXPECT_EQ(4, second.value());
  EXPECT_TRUE(PageShows("test_added_total 7\n"));
}

TEST(MetricTest, ACounterKeepsItsPartWhenItsObjectIsGone) {
  {
    Counter gone("test_kept_total", "Kept.");
    gone.Add(5);
  }
  EXPECT_TRUE(PageShows("test_kept_total 5\n"));
  Counter next("test_kept_total", "Kept.");
  next.Add();
  EXPECT_EQ(1, next.value());
  EXPECT_TRUE(PageShows("test_kept_total 6\n"));
}

TEST(MetricTest, AGaugeIsShownFromItsFirstValueUntilItIsClearedOrGone) {
  {
    Gauge gauge("test_level", "Level.");
    EXPECT_EQ(std::nullopt, gauge.value());
    EXPECT_FALSE(PageShows("test_level "));
    gauge.Set(0);
    EXPECT_TRUE(PageShows("test_level 0\n"));
    gauge.Clear();
    EXPECT_FALSE(PageShows("test_level "));
    gauge.Set(2.5);
    EXPECT_TRUE(PageShows("test_level 2.5\n"));
  }
  EXPECT_FALSE(PageShows("test_level "));
  EXPECT_TRUE(PageShows("# TYPE test_level gauge\n"));
}

TEST(MetricTest, AHistogramHasQuantilesAndBuckets) {
  Histogram histogram("test_wait_seconds", "Wait.");
  histogram.Observe(Millis{3}, 2);
  Durations more;
  more.Add(Millis{150});
  more.Add(std::chrono::hours{2});
  histogram.Observe(more);
  EXPECT_EQ(3, histogram.QuantileMillis(.5));
  const std::string page = MetricsPage();
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_bucket{le=\"0.002\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_bucket{le=\"0.005\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_bucket{le=\"0.2\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_bucket{le=\"300\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_sum 7200.156\n"));
  EXPECT_THAT(page, HasSubstr("test_wait_seconds_count 4\n"));
}

TEST(MetricTest, LabelsTellMetricsOfOneNameApart) {
  Counters counters("test_fruit_total", "Fruit.", {"kind", "colour"});
  EXPECT_TRUE(PageShows("# HELP test_fruit_total Fruit.\n# TYPE test_fruit_total counter\n"));
  counters.With({"apple", "red"}).Add(2);
  counters.With({"apple", "green"});
  counters.With({"apple", "red"}).Add(1);
  EXPECT_TRUE(PageShows("test_fruit_total{kind=\"apple\",colour=\"red\"} 3\n"));
  EXPECT_TRUE(PageShows("test_fruit_total{kind=\"apple\",colour=\"green\"} 0\n"));
  EXPECT_THAT(CountsByLabel(counters), ElementsAre(Pair("apple", 3)));
  EXPECT_EQ(3, Total(counters));
  Gauges gauges("test_basket", "Basket.", {"kind"});
  gauges.With({"pear"}).Set(1);
  EXPECT_TRUE(PageShows("test_basket{kind=\"pear\"} 1\n"));
  gauges.Remove({"pear"});
  EXPECT_FALSE(PageShows("test_basket{"));
}

TEST(MetricTest, APageIsMadeWhileMetricsComeAndGo) {
  std::jthread busy([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Histograms histograms("test_busy_seconds", "Busy.", {"kind"});
      histograms.With({"a"}).Observe(Millis{1});
    }
  });
  for (int i = 0; i < 100; ++i) EXPECT_THAT(MetricsPage(), HasSubstr("# TYPE "));
}

}  // namespace
}  // namespace shopstream
