#include "lake/delta/size_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lake/delta/table_testing.h"

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;

class SizeHistoryTest : public testing::TableTest {
 protected:
  // "version files/bytes/rows"
  std::vector<std::string> Points() {
    std::vector<std::string> lines;
    for (const SizePoint& point : **history_.Read()) {
      lines.push_back(std::to_string(point.version) + " " + std::to_string(point.files) + "/" +
                      std::to_string(point.bytes) + "/" + std::to_string(point.rows));
    }
    return lines;
  }

  SizeHistory history_{&store_, testing::kPath};
};

TEST_F(SizeHistoryTest, ItFollowsAppendsMergesAndNewStatistics) {
  Append("a");
  Append("b");
  EXPECT_THAT(Points(), ElementsAre("0 0/0/0", "1 1/100/3", "2 2/200/6"));
  Changes merge;
  merge.removes = {testing::File("a"), testing::File("b")};
  merge.adds = {testing::File("ab")};
  merge.adds[0].rows = 6;
  merge.adds[0].statistics = R"({"numRecords":6})";
  merge.adds[0].size_bytes = 150;
  merge.written_since = BootClock::now();
  Commit(merge);
  Changes restate;
  restate.restates = {testing::File("ab")};
  restate.restates[0].statistics = R"({"numRecords":6})";
  Commit(restate);
  EXPECT_THAT(Points(), ElementsAre("0 0/0/0", "1 1/100/3", "2 2/200/6", "3 1/150/6", "4 1/150/6"));
}

TEST_F(SizeHistoryTest, ItReadsOnlyWhatIsNew) {
  Append("a");
  Points();
  Append("b");
  std::vector<std::string> read;
  store_.OnAny()
      .Calls([&](const std::string& path) {
        if (path.ends_with("1.json")) read.push_back(path);
      })
      .Always();
  EXPECT_EQ("2 2/200/6", Points().back());
  EXPECT_THAT(read, ::testing::IsEmpty());
}

}  // namespace
}  // namespace shopstream::lake
