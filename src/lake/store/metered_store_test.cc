#include "lake/store/metered_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/metrics_testing.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using shopstream::testing::PageValue;

// How much a series of /metrics has grown. Other tests of this process use stores as well.
class Growth {
 public:
  explicit Growth(std::string series) : series_(std::move(series)), before_(PageValue(series_)) {}
  double value() const { return PageValue(series_) - before_; }

 private:
  const std::string series_;
  const double before_;
};

Growth Requests(const std::string& operation) {
  return Growth("shopstream_store_request_seconds_count{operation=\"" + operation + "\"}");
}
Growth Failures(const std::string& operation) {
  return Growth("shopstream_store_failures_total{operation=\"" + operation + "\"}");
}

TEST(MeteredStoreTest, ShowsDurationsFailuresAndBytes) {
  const Growth puts = Requests("put"), puts_if_absent = Requests("put_if_absent");
  const Growth gets = Requests("get"), failed_gets = Failures("get");
  const Growth failed_opens = Failures("open_input");
  const Growth put_bytes("shopstream_store_put_bytes_total");
  const auto store = Metered(std::make_unique<simulate::MemoryStore>());
  const arrow::Buffer content(std::string_view("12345"));
  ASSERT_TRUE(store->Put("a", content).ok());
  EXPECT_EQ(PutOutcome::kExists, *store->PutIfAbsent("a", content));
  EXPECT_EQ("12345", (*store->Get("a"))->ToString());
  EXPECT_EQ(nullptr, *store->Get("b"));
  EXPECT_FALSE(store->OpenInput("b").ok());
  EXPECT_EQ(1, puts.value());
  EXPECT_EQ(1, puts_if_absent.value());
  EXPECT_EQ(2, gets.value());
  EXPECT_EQ(0, failed_gets.value());
  EXPECT_EQ(1, failed_opens.value());
  EXPECT_EQ(10, put_bytes.value());
}

}  // namespace
}  // namespace shopstream::lake
