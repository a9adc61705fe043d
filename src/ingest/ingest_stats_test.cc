#include "ingest/ingest_stats.h"

#include <gtest/gtest.h>

#include "base/metrics_testing.h"

namespace shopstream::ingest {
namespace {

using testing::PageShows;

TEST(IngestStatsTest, LagIsUnknownUntilAPartitionIsOursAndLookedAt) {
  IngestStats stats;
  stats.SetLag(7, 5);
  EXPECT_FALSE(stats.lag());
  EXPECT_FALSE(PageShows("shopstream_ingest_lag_records{partition=\"7\"}"));
  stats.Assign(7);
  EXPECT_FALSE(stats.lag());
  EXPECT_EQ(1, stats.partitions_of_unknown_lag());
  EXPECT_FALSE(PageShows("shopstream_ingest_lag_records{partition=\"7\"}"));
  EXPECT_TRUE(PageShows("shopstream_ingest_assigned_partitions 1"));
  stats.SetLag(7, 5);
  EXPECT_EQ(5, stats.lag());
  EXPECT_EQ(0, stats.partitions_of_unknown_lag());
  EXPECT_TRUE(PageShows("shopstream_ingest_lag_records{partition=\"7\"} 5"));
  stats.SetLag(7, std::nullopt);
  EXPECT_FALSE(stats.lag());
  EXPECT_FALSE(PageShows("shopstream_ingest_lag_records{partition=\"7\"}"));
  stats.Forget(7);
}

TEST(IngestStatsTest, WhatARevokedPartitionShowedDisappears) {
  IngestStats stats;
  stats.Assign(3);
  stats.Assign(4);
  stats.SetLag(3, 10);
  stats.SetLag(4, 20);
  stats.SetStopped(3, true);
  EXPECT_EQ(30, stats.lag());
  EXPECT_EQ(1, stats.partitions_stopped());
  EXPECT_TRUE(PageShows("shopstream_ingest_partition_stopped{partition=\"3\"} 1"));
  stats.Forget(3);
  EXPECT_EQ(20, stats.lag());
  EXPECT_EQ(0, stats.partitions_stopped());
  EXPECT_FALSE(PageShows("shopstream_ingest_partition_stopped{partition=\"3\"}"));
  EXPECT_FALSE(PageShows("shopstream_ingest_lag_records{partition=\"3\"}"));
  EXPECT_TRUE(PageShows("shopstream_ingest_lag_records{partition=\"4\"} 20"));
  EXPECT_TRUE(PageShows("shopstream_ingest_assigned_partitions 1"));
  stats.Forget(4);
  EXPECT_FALSE(stats.lag());
  EXPECT_TRUE(PageShows("shopstream_ingest_assigned_partitions 0"));
}

TEST(IngestStatsTest, APartitionThatStartsAgainIsUnknownAgain) {
  IngestStats stats;
  stats.Assign(5);
  stats.SetLag(5, 10);
  stats.SetStopped(5, true);
  stats.Assign(5);
  EXPECT_FALSE(stats.lag());
  EXPECT_EQ(0, stats.partitions_stopped());
  EXPECT_FALSE(PageShows("shopstream_ingest_partition_stopped{partition=\"5\"}"));
  stats.Forget(5);
}

}  // namespace
}  // namespace shopstream::ingest
