#include "lake/store/metered_store.h"

#include <gtest/gtest.h>

#include <string>

#include "base/metrics_testing.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using shopstream::testing::PageShows;

TEST(MeteredStoreTest, ShowsDurationsFailuresAndBytes) {
  auto memory = std::make_unique<simulate::MemoryStore>();
  const auto store = Metered(std::move(memory));
  const arrow::Buffer content(std::string_view("12345"));
  ASSERT_TRUE(store->Put("a", content).ok());
  EXPECT_EQ(PutOutcome::kExists, *store->PutIfAbsent("a", content));
  EXPECT_EQ("12345", (*store->Get("a"))->ToString());
  EXPECT_EQ(nullptr, *store->Get("b"));
  EXPECT_FALSE(store->OpenInput("b").ok());
  const std::string count = "shopstream_store_request_seconds_count{operation=";
  EXPECT_TRUE(PageShows(count + "\"put\"} 1\n"));
  EXPECT_TRUE(PageShows(count + "\"put_if_absent\"} 1\n"));
  EXPECT_TRUE(PageShows(count + "\"get\"} 2\n"));
  EXPECT_TRUE(PageShows("shopstream_store_failures_total{operation=\"get\"} 0\n"));
  EXPECT_TRUE(PageShows("shopstream_store_failures_total{operation=\"open_input\"} 1\n"));
  EXPECT_TRUE(PageShows("shopstream_store_put_bytes_total 10\n"));
}

}  // namespace
}  // namespace shopstream::lake
