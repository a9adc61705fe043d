#include "lake/delta/log_name.h"

#include <gtest/gtest.h>

namespace shopstream::lake {
namespace {

using Kind = LogName::Kind;

TEST(LogNameTest, KnowsWhatTheProtocolNames) {
  EXPECT_EQ((LogName{Kind::kEntry, 12}), ParseLogName("t/_delta_log/00000000000000000012.json"));
  EXPECT_EQ((LogName{Kind::kChecksum, 12}), ParseLogName("00000000000000000012.crc"));
  EXPECT_EQ((LogName{Kind::kCheckpoint, 12}),
            ParseLogName("00000000000000000012.checkpoint.parquet"));
  EXPECT_EQ((LogName{Kind::kCheckpoint, 12, 2, 3}),
            ParseLogName("00000000000000000012.checkpoint.0000000002.0000000003.parquet"));
  EXPECT_EQ((LogName{Kind::kUuidCheckpoint, 12}),
            ParseLogName("00000000000000000012.checkpoint.80a083e8-7026-4e79.json"));
  EXPECT_EQ((LogName{Kind::kCompacted, 4}),
            ParseLogName("00000000000000000004.00000000000000000006.compacted.json"));
}

TEST(LogNameTest, LeavesOtherNamesAlone) {
  for (const char* name :
       {"", "_last_checkpoint", "12.json", ".00000000000000000012.json.torn",
        "0000000000000000001x.json", "00000000000000000012", "00000000000000000012.json.tmp",
        "00000000000000000012.checkpoint.0000000004.0000000003.parquet",
        "00000000000000000012.checkpoint.0000000000.0000000003.parquet",
        "00000000000000000012.6.compacted.json", "00000000000000000012.checkpoint"}) {
    EXPECT_EQ(std::nullopt, ParseLogName(name)) << name;
  }
}

}  // namespace
}  // namespace shopstream::lake
