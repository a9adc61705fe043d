#include "refine/archived_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "refine/bronze_testing.h"
#include "tables/erased_offsets.h"

namespace shopstream::refine {
namespace {

constexpr char kTopic[] = "topic-a";

int64_t Missing(testing::Bronze* table, testing::Bronze* archive) {
  return CountMissingRows(*table->table(), archive->store(), *archive->snapshot(),
                          archive->snapshot()->Files())
      .ValueOrDie();
}

TEST(ArchivedRowsTest, ARowIsMissingUntilTheTableHasItOnAnyDate) {
  testing::Bronze table, archive;
  archive.Append({{kTopic, 0, 5}, {kTopic, 0, 6}, {kTopic, 1, 5}});
  table.Append({{kTopic, 0, 4}, {kTopic, 0, 6}, {"topic-b", 1, 5}});
  EXPECT_EQ(2, Missing(&table, &archive));
  table.Append({{kTopic, 0, 5}, {kTopic, 0, 5}});
  EXPECT_EQ(1, Missing(&table, &archive)) << "a duplicate counts once";
  table.Append({{.topic_id = kTopic, .partition = 1, .offset = 5, .date = "2025-11-01"}});
  EXPECT_EQ(0, Missing(&table, &archive));
}

TEST(ArchivedRowsTest, ARowThatWasErasedIsNotMissing) {
  testing::Bronze table, archive;
  archive.Append({{kTopic, 0, 5}, {kTopic, 0, 6}});
  tables::OffsetsByTopic erased;
  erased[kTopic].Insert(0, 5);
  lake::Changes changes;
  changes.growth = lake::TableGrowth{.columns = table.snapshot()->schema(),
                                     .properties = *tables::RemovedProperties(
                                         *table.snapshot(), tables::Removal::kErased, erased)};
  ASSERT_TRUE(
      table.table()->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{200}).ok());
  EXPECT_EQ(1, Missing(&table, &archive));
}

TEST(ArchivedRowsTest, ARowWithoutCoordinatesIsMissing) {
  testing::Bronze table, archive;
  archive.Append({{kTopic, 0, 5}});
  archive.AppendForeign({{"", 0, 7}});
  table.Append({{kTopic, 0, 5}});
  EXPECT_EQ(1, Missing(&table, &archive));
}

}  // namespace
}  // namespace shopstream::refine
