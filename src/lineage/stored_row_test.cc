#include "lineage/stored_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lineage/testing.h"

namespace shopstream::lineage {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class StoredRowTest : public testing::LineageTest {};

TEST_F(StoredRowTest, ThePlaceIsExactInAFileWithSeveralRowGroups) {
  for (int64_t begin : {0, 3, 6}) {
    Ingest({{.id = "x", .offset = begin},
            {.id = "y", .offset = begin + 1},
            {.id = "z", .offset = begin + 2}});
  }
  Compact();
  std::vector<std::string> places;
  for (int64_t offset = 0; offset < 9; ++offset) {
    const auto rows = *FindRecord(store_->inner(), testing::kBronze, *bronze_->snapshot(),
                                  {testing::kTopicIdA, 0, offset});
    ASSERT_THAT(rows, SizeIs(1));
    const RowPlace& place = rows[0].place;
    const auto file = bronze_->snapshot()->Files()[0];
    const auto group = *lake::DataFileReader::OpenRowGroups(
        store_->inner(), testing::kBronze, file,
        arrow::schema({bronze_->snapshot()->schema()->GetFieldByName(tables::kOffset)}), {},
        {place.row_group});
    const auto offsets = *group->Next();
    EXPECT_EQ(std::to_string(offset), (*offsets->column(0)->GetScalar(place.position))->ToString());
    places.push_back(std::to_string(place.row_group) + "/" + std::to_string(place.position));
  }
  EXPECT_THAT(std::set<std::string>(places.begin(), places.end()), SizeIs(9));
}

TEST_F(StoredRowTest, FilesThatStatisticsRuleOutAreNotOpened) {
  for (int64_t offset = 0; offset < 5; ++offset) Ingest({{.id = "a", .offset = offset}});
  std::set<std::string> opened;
  store_->OnAny().Calls([&](const std::string& path) { opened.insert(path); }).Always();
  const auto rows =
      *FindRecord(store_.get(), testing::kBronze, *bronze_->snapshot(), {testing::kTopicIdA, 0, 3});
  store_->Heal();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_THAT(opened, SizeIs(1));
  EXPECT_THAT(*opened.begin(), HasSubstr(rows[0].place.path));
}

TEST_F(StoredRowTest, ASearchStopsWhenAsked) {
  Ingest({{.id = "a", .offset = 0}});
  const auto found = FindRecord(store_->inner(), testing::kBronze, *bronze_->snapshot(),
                                {testing::kTopicIdA, 0, 0}, [] { return true; });
  EXPECT_TRUE(found.status().IsCancelled()) << found.status();
}

TEST_F(StoredRowTest, ATableWithoutCoordinatesHasNoRecord) {
  Ingest({{.id = "a", .offset = 0}});
  MustRefine();
  const auto gold = *lake::Table::Open(store_->inner(), "gold/quality_daily");
  EXPECT_THAT(*FindRecord(store_->inner(), gold->path(), *gold->snapshot(), {"", 0, 0}),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace shopstream::lineage
