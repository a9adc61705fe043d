#include "refine/rejected_offsets.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "refine/columns.h"
#include "refine/pass_testing.h"

namespace shopstream::refine {
namespace {

using testing::Purchase;

constexpr char kRejects[] = "silver-rejects";

class RejectedOffsetsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto bronze = *lake::Table::OpenOrCreate(&store_, testing::BronzeSpec());
    const auto columns = *RefineColumns::Of(testing::kBronze, *bronze->snapshot());
    rejects_ = *lake::Table::OpenOrCreate(&store_, RejectsSpec(kRejects, columns));
  }

  // One file with rows of several passes, as compaction makes them.
  void Append(const std::vector<Purchase>& rows, const std::vector<int64_t>& passes) {
    arrow::Int64Builder pass;
    EXPECT_TRUE(pass.AppendValues(passes).ok());
    auto batch = testing::RowsOf(rows);
    batch = *batch->AddColumn(batch->num_columns(), kRefinePass, *pass.Finish());
    lake::Changes changes;
    changes.adds = {*lake::WriteDataFile(&store_, kRejects, {{"date", "2025-10-24"}}, batch)};
    changes.written_since = BootClock::now();
    testing::Commit(rejects_.get(), lake::Unconditionally(changes));
  }
  std::string Read(int64_t pass, const std::string& topic_id = testing::kTopicIdA) {
    return (*ReadRejectedOffsets(&store_, kRejects, *rejects_->snapshot(), pass))[topic_id]
        .Format();
  }

  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> rejects_;
};

TEST_F(RejectedOffsetsTest, AreThoseOfOnePassWhereverTheyAre) {
  Append({{.id = "a", .offset = 3}, {.id = "b", .offset = 4}, {.id = "c", .offset = 9}}, {1, 2, 2});
  Append({{.id = "d", .offset = 7, .partition = 2}}, {2});
  Append({{.id = "e", .offset = 5}}, {3});
  EXPECT_EQ(Read(1), "0:3");
  EXPECT_EQ(Read(2), "0:4,4;2:7");
  EXPECT_EQ(Read(3), "0:5");
  EXPECT_EQ(Read(4), "");
}

TEST_F(RejectedOffsetsTest, BelongToTheirTopic) {
  Append({{.id = "a", .offset = 3}, {.id = "a", .offset = 3, .topic_id = "older"}}, {1, 1});
  EXPECT_EQ(Read(1), "0:3");
  EXPECT_EQ(Read(1, "older"), "0:3");
}

}  // namespace
}  // namespace shopstream::refine
