#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/http_client.h"
#include "base/probes.h"

namespace shopstream {
namespace {

TEST(Metrics, AreServedAsPrometheusText) {
  auto& family =
      prometheus::BuildCounter().Name("test_rows_total").Help("Rows.").Register(Metrics());
  family.Add({{"region", "EU"}}).Increment(3);
  const auto server = *ServeMetrics("127.0.0.1:0");
  auto client = *HttpClient::Open("http://127.0.0.1:" + std::to_string(server->port()));
  const HttpResponse response = *client.Get("/metrics");
  EXPECT_EQ(200, response.status);
  EXPECT_THAT(response.body, testing::HasSubstr("test_rows_total{region=\"EU\"} 3\n"));
}

TEST(Metrics, ComeWithTheProbes) {
  const auto server = *ServeMetrics("127.0.0.1:0");
  auto client = *HttpClient::Open("http://127.0.0.1:" + std::to_string(server->port()));
  Probes::OfProcess().SetUnready("no broker answers");
  EXPECT_EQ(503, client.Get("/readyz")->status);
  EXPECT_EQ("no broker answers\n", client.Get("/readyz")->body);
  EXPECT_EQ(200, client.Get("/livez")->status);
  Probes::OfProcess().SetUnready("");
  EXPECT_EQ(200, client.Get("/readyz")->status);
}

TEST(Metrics, AnEmptyAddressMeansNoServer) { EXPECT_EQ(nullptr, *ServeMetrics("")); }

TEST(Metrics, ATakenPortMeansTheNextFreeOne) {
  const auto first = *ServeMetrics("127.0.0.1:0");
  const auto second = *ServeMetrics("127.0.0.1:" + std::to_string(first->port()));
  EXPECT_GT(second->port(), first->port());
}

}  // namespace
}  // namespace shopstream
