#include "ingest/frame.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace shopstream::ingest {
namespace {

std::optional<Frame> Parse(const std::vector<uint8_t>& bytes) { return ParseFrame(bytes); }

TEST(FrameTest, ReadsTheSchemaIdBigEndianAndLeavesTheBody) {
  std::vector<uint8_t> value = {0, 0x01, 0x02, 0x03, 0x04, 'b', 'o'};
  std::optional<Frame> frame = Parse(value);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->schema_id, 0x01020304);
  EXPECT_EQ(frame->body.size(), 2u);
  EXPECT_EQ(frame->body[0], 'b');
}

TEST(FrameTest, AllowsAnEmptyBody) {
  std::optional<Frame> frame = Parse({0, 0, 0, 0, 7});
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->schema_id, 7);
  EXPECT_TRUE(frame->body.empty());
}

TEST(FrameTest, RefusesWhatDoesNotBeginLikeAFrame) {
  EXPECT_FALSE(Parse({}));
  EXPECT_FALSE(Parse({0}));
  EXPECT_FALSE(Parse({0, 0, 0, 1}));
  EXPECT_FALSE(Parse({1, 0, 0, 0, 1, 'b'}));
}

}  // namespace
}  // namespace shopstream::ingest
