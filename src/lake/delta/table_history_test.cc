#include "lake/delta/table_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class TableHistoryTest : public testing::LakeTest {
 protected:
  // Nothing if an entry is missing.
  std::optional<std::vector<std::string>> PathsSince(int64_t since) {
    const auto files =
        FilesSince(store_.get(), testing::kPath, *table_->snapshot(), since).ValueOrDie();
    if (!files) return std::nullopt;
    std::vector<std::string> paths;
    for (const DataFile& file : *files) paths.push_back(file.path);
    return paths;
  }
};

TEST_F(TableHistoryTest, NewerFilesAreThoseThatLaterVersionsAddedAndThatAreLive) {
  const DataFile first = Append(0);  // Version 1.
  const DataFile second = Append(10);
  const DataFile third = Append(20);
  EXPECT_THAT(*PathsSince(3), IsEmpty());
  EXPECT_THAT(*PathsSince(2), ElementsAre(third.path));
  EXPECT_THAT(*PathsSince(0), UnorderedElementsAre(first.path, second.path, third.path));
  // Rows of version 3 move into a file of version 4, together with older ones.
  const DataFile merged = WriteFile(0, 30);
  Commit({merged}, {first, second, third});
  EXPECT_THAT(*PathsSince(2), ElementsAre(merged.path));
  EXPECT_THAT(*PathsSince(4), IsEmpty());
}

TEST_F(TableHistoryTest, AnEntryThatIsGoneLeavesTheAnswerOpen) {
  Append(0);
  Append(10);
  const DataFile third = Append(20);
  Delete(LogEntryPath(testing::kPath, 2));
  EXPECT_THAT(*PathsSince(2), ElementsAre(third.path));
  EXPECT_EQ(std::nullopt, PathsSince(1));
}

TEST_F(TableHistoryTest, TheNewestVersionsComeFirst) {
  Append(0, 10);
  Append(10, 7);
  const auto records = ReadHistory(store_.get(), testing::kPath, 2).ValueOrDie();
  ASSERT_EQ(2U, records.size());
  EXPECT_EQ(2, records[0].version);
  EXPECT_EQ(7, records[0].rows_added);
  EXPECT_EQ("WRITE", records[0].operation);
  EXPECT_EQ(1, records[1].version);
}

}  // namespace
}  // namespace shopstream::lake
