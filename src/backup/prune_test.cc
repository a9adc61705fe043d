#include "backup/prune.h"

#include <gmock/gmock.h>

namespace shopstream::backup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Manifest> Days(int count) {
  std::vector<Manifest> manifests(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    manifests[static_cast<size_t>(i)].id = std::to_string(i);
    manifests[static_cast<size_t>(i)].finished_ms = i;
  }
  return manifests;
}

TEST(ChooseToPruneTest, TheNewestAlwaysStays) {
  EXPECT_THAT(ChooseToPrune(Days(3), {.keep = 0}), ElementsAre("0", "1"));
  EXPECT_THAT(ChooseToPrune(Days(3), {.before_ms = 100}), ElementsAre("0", "1"));
  EXPECT_THAT(ChooseToPrune(Days(1), {.keep = 0, .before_ms = 100}), IsEmpty());
  EXPECT_THAT(ChooseToPrune({}, {.keep = 0}), IsEmpty());
}

TEST(ChooseToPruneTest, ByNumberByAgeAndByBoth) {
  EXPECT_THAT(ChooseToPrune(Days(4), {.keep = 2}), ElementsAre("0", "1"));
  EXPECT_THAT(ChooseToPrune(Days(4), {.before_ms = 1}), ElementsAre("0"));
  EXPECT_THAT(ChooseToPrune(Days(4), {.keep = 2, .before_ms = 1}), ElementsAre("0"));
  EXPECT_THAT(ChooseToPrune(Days(4), {.keep = 3, .before_ms = 3}), ElementsAre("0"));
}

}  // namespace
}  // namespace shopstream::backup
