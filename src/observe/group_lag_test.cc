#include "observe/group_lag.h"

#include <gtest/gtest.h>

#include "base/error_kind.h"

namespace shopstream::observe {
namespace {

const kafka::TopicPartition kAt{"clicks", 1};
const kafka::OffsetSpan kSpan{.log_start = 10, .end = 20};

GroupPartitionLag Lag(int64_t committed) {
  return LagOf(kAt, kafka::CommittedOffset{committed, ""}, kSpan);
}

TEST(GroupLag, CountsFromTheCommittedOffsetToTheEnd) {
  const GroupPartitionLag lag = Lag(13);
  EXPECT_EQ(7, lag.lag);
  EXPECT_FALSE(lag.lag_ms);
  EXPECT_TRUE(lag.known());
  EXPECT_FALSE(lag.expired() || lag.beyond_kafka());
}

TEST(GroupLag, IsZeroSecondsAtTheEnd) {
  EXPECT_EQ(0, Lag(20).lag);
  EXPECT_EQ(0, Lag(20).lag_ms);
}

TEST(GroupLag, RecordsThatExpiredDoNotCount) {
  EXPECT_EQ(10, Lag(3).lag);
  EXPECT_TRUE(Lag(3).expired());
}

TEST(GroupLag, AnOffsetBeyondTheEndIsNamed) {
  EXPECT_EQ(0, Lag(21).lag);
  EXPECT_TRUE(Lag(21).beyond_kafka());
}

TEST(GroupLag, IsUnknownWithoutACommittedOffset) {
  const GroupPartitionLag lag = LagOf(kAt, std::nullopt, kSpan);
  EXPECT_FALSE(lag.committed || lag.lag || lag.lag_ms);
  EXPECT_TRUE(lag.known());
}

TEST(GroupLag, SaysWhyKafkaDoesNotAnswer) {
  const auto no_leader = LagOf(kAt, kafka::CommittedOffset{13, ""}, Unavailable("no leader"));
  EXPECT_EQ("no leader", no_leader.unknown);
  EXPECT_EQ(13, no_leader.committed);
  EXPECT_FALSE(no_leader.lag);
  const auto no_offset =
      LagOf(kAt, Result<kafka::CommittedOffset>(Unavailable("no answer")), kSpan);
  EXPECT_EQ("no answer", no_offset.unknown);
  EXPECT_FALSE(no_offset.lag);
}

}  // namespace
}  // namespace shopstream::observe
