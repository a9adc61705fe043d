#include "lineage/file_offsets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_kind.h"
#include "lineage/testing.h"

namespace shopstream::lineage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class FileOffsetsTest : public testing::LineageTest {
 protected:
  std::string OnlyFile(const std::string& table) {
    const auto opened = *lake::Table::Open(store_->inner(), table);
    const auto files = opened->snapshot()->Files();
    EXPECT_EQ(1, files.size());
    return table + "/" + files.front().path;
  }
  FileLineage Trace(const std::string& path, size_t most = 1000) {
    auto file = TraceFile(store_->inner(), path, most);
    EXPECT_TRUE(file.ok()) << file.status();
    return *file;
  }
};

TEST_F(FileOffsetsTest, AFileHasTheRangesOfEachPartitionAndItsCommit) {
  Ingest({{.id = "a", .offset = 4},
          {.id = "b", .offset = 5},
          {.id = "c", .offset = 9},
          {.id = "d", .offset = 0, .partition = 2}});
  const FileLineage file = Trace(OnlyFile(testing::kBronze));
  EXPECT_TRUE(file.live);
  EXPECT_EQ(4, file.rows);
  ASSERT_THAT(file.partitions, SizeIs(2));
  EXPECT_EQ((OffsetRange{0, 4, 10}), file.partitions[0].span);
  EXPECT_THAT(file.partitions[0].ranges, ElementsAre(OffsetRange{0, 4, 6}, OffsetRange{0, 9, 10}));
  EXPECT_EQ(2, file.partitions[1].partition);
  EXPECT_EQ(1, file.added.commit->version);
  const FileLineage bounded = Trace(OnlyFile(testing::kBronze), 1);
  EXPECT_THAT(bounded.partitions[0].ranges, SizeIs(1));
  EXPECT_EQ(1, bounded.partitions[0].ranges_left_out);
}

TEST_F(FileOffsetsTest, AFileThatWasCompactedAwayIsStillExplained) {
  Ingest({{.id = "a", .offset = 4}});
  const std::string path = OnlyFile(testing::kBronze);
  Ingest({{.id = "b", .offset = 5}});
  Compact();
  const FileLineage file = Trace(path);
  EXPECT_FALSE(file.live);
  EXPECT_TRUE(file.removed_ms);
  EXPECT_EQ((OffsetRange{0, 4, 5}), file.partitions.at(0).span);
  EXPECT_EQ(2, Trace(OnlyFile(testing::kBronze)).partitions.at(0).rows);
  EXPECT_TRUE(TraceFile(store_->inner(), path, 1, [] { return true; }).status().IsCancelled());
  ASSERT_TRUE(store_->inner()->Delete(path).ok());
  EXPECT_EQ(ErrorKind::kGone, KindOf(TraceFile(store_->inner(), path).status()));
}

TEST_F(FileOffsetsTest, GoldHasNoOffsetsAndOtherPathsAreRefused) {
  Ingest({{.id = "a", .offset = 4}});
  MustRefine();
  EXPECT_FALSE(Trace(OnlyFile("gold/quality_daily")).has_coordinates);
  EXPECT_TRUE(Trace(OnlyFile("silver-events")).has_coordinates);
  const auto outside = TraceFile(store_->inner(), "etc/passwd");
  EXPECT_TRUE(outside.status().IsKeyError());
  EXPECT_THAT(outside.status().message(), HasSubstr("is not below a table"));
}

}  // namespace
}  // namespace shopstream::lineage
