#include "refine/duplicates.h"

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "tables/columns.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;

// Rows as JSON lists: [topic id, partition, offset, timestamp].
std::shared_ptr<arrow::RecordBatch> Rows(const std::string& json) {
  const auto schema = arrow::schema({arrow::field(tables::kTopicId, arrow::utf8()),
                                     arrow::field(tables::kPartition, arrow::int32()),
                                     arrow::field(tables::kOffset, arrow::int64()),
                                     arrow::field(tables::kTimestamp, tables::Instant())});
  const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json);
  return arrow::RecordBatch::FromStructArray(rows.ValueOrDie()).ValueOrDie();
}

std::vector<Hash128> Ids(const std::vector<uint64_t>& numbers) {
  std::vector<Hash128> ids;
  for (const uint64_t number : numbers) ids.push_back({.high = 0, .low = number});
  return ids;
}

TEST(DuplicatesTest, TheFirstInTimeThenByCoordinatesIsNoCopy) {
  const auto rows = Rows(R"([["b", 0, 0, 20], ["b", 0, 1, 10], ["a", 9, 9, 20],
                             ["a", 2, 5, 7], ["a", 1, 6, 7], ["a", 1, 5, 7],
                             ["c", 0, 0, null], ["c", 0, 1, -5]])");
  const auto copies =
      FindCopies(*rows, {0, 1, 2, 3, 4, 5, 6, 7}, Ids({1, 1, 1, 2, 2, 2, 3, 3})).ValueOrDie();
  EXPECT_THAT(copies, ElementsAre(true, false, true, true, true, false, false, true));
}

TEST(DuplicatesTest, OnlyAcceptedRowsCount) {
  const auto rows = Rows(R"([["a", 0, 0, 1], ["a", 0, 1, 2], ["a", 0, 2, 3]])");
  EXPECT_THAT(FindCopies(*rows, {1, 2}, Ids({1, 1})).ValueOrDie(), ElementsAre(false, true));
  EXPECT_THAT(FindCopies(*rows, {}, {}).ValueOrDie(), ElementsAre());
}

TEST(DuplicatesTest, TheOrderOfTheRowsDoesNotMatter) {
  std::mt19937 random(1);
  struct Row {
    int offset, id, timestamp;
  };
  std::vector<Row> rows;
  for (int offset = 0; offset < 200; ++offset) {
    rows.push_back({offset, static_cast<int>(random() % 40), static_cast<int>(random() % 5)});
  }
  std::map<int, int> kept_at_first;
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(rows, random);
    std::string json;
    std::vector<int32_t> all;
    std::vector<uint64_t> ids;
    for (const Row& row : rows) {
      json += (json.empty() ? "" : ",") + ("[\"t\", 0, " + std::to_string(row.offset) + ", ") +
              std::to_string(row.timestamp) + "]";
      all.push_back(static_cast<int32_t>(all.size()));
      ids.push_back(row.id);
    }
    const auto copies = FindCopies(*Rows("[" + json + "]"), all, Ids(ids)).ValueOrDie();
    std::map<int, int> kept;  // By id, the offset.
    for (size_t i = 0; i < rows.size(); ++i) {
      if (copies[i]) continue;
      ASSERT_TRUE(kept.emplace(rows[i].id, rows[i].offset).second);
    }
    if (round == 0) kept_at_first = kept;
    EXPECT_EQ(kept_at_first, kept);
  }
  EXPECT_EQ(40, kept_at_first.size());
}

TEST(DuplicatesTest, ARowWithoutCoordinatesIsRefused) {
  EXPECT_TRUE(FindCopies(*Rows(R"([["a", null, 0, 1]])"), {0}, Ids({1})).status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::refine
