#include "refine/gold_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "refine/gold_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RefinedPurchase;

// As S3: several files are read at a time.
class RemoteStore : public simulate::MemoryStore {
 public:
  bool IsRemote() const override { return true; }
};

std::shared_ptr<arrow::RecordBatch> Days(int days) {
  std::vector<RefinedPurchase> rows;
  for (int day = 0; day < days; ++day) {
    for (int i = 0; i <= day; ++i) rows.push_back({.user = 100 * day + i, .day = day});
  }
  return *testing::PassBatch(rows, 1)->SelectColumns(
      {testing::PassBatch({}, 1)->schema()->GetFieldIndex("user_id"),
       testing::PassBatch({}, 1)->schema()->GetFieldIndex("date")});
}

TEST(GoldTableTest, EachDateIsOneFileAndReadBackInOrder) {
  RemoteStore remote;
  simulate::MemoryStore local;
  for (lake::ObjectStore* store :
       {static_cast<lake::ObjectStore*>(&remote), static_cast<lake::ObjectStore*>(&local)}) {
    const auto rows = Days(20);
    const auto files = WriteDates(store, "t", rows).ValueOrDie();
    ASSERT_EQ(files.size(), 20u);
    EXPECT_EQ(files[3].rows, 4);
    EXPECT_EQ(*DateOf(files[3]), testing::kFirstDay + 3);
    const auto read = ReadRows(store, "t", files, rows->schema());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE((*read)->Equals(*rows));
  }
}

TEST(GoldTableTest, AFileThatCannotBeReadIsNamed) {
  RemoteStore store;
  const auto rows = Days(20);
  const auto files = WriteDates(&store, "t", rows).ValueOrDie();
  ASSERT_TRUE(store.Delete("t/" + files[7].path).ok());
  EXPECT_THAT(ReadRows(&store, "t", files, rows->schema()).status().message(),
              HasSubstr(files[7].path));
}

TEST(GoldTableTest, NoRowsNeedNoFile) {
  simulate::MemoryStore store;
  EXPECT_TRUE(WriteDates(&store, "t", Days(0))->empty());
  EXPECT_EQ((*ReadRows(&store, "t", {}, Days(1)->schema()))->num_rows(), 0);
}

TEST(GoldTableTest, ANullDateIsADateOfItsOwn) {
  simulate::MemoryStore store;
  const auto rows = testing::PassBatch({{.day = {}}, {.day = 1}}, 1);
  const auto files = WriteDates(&store, "t", rows).ValueOrDie();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(*DateOf(files[0]), Date());
  EXPECT_TRUE(OfDates({Date()}).MayMatch(files[0]));
  EXPECT_FALSE(OfDates({Date()}).MayMatch(files[1]));
  EXPECT_FALSE(OfDates({testing::kFirstDay + 1}).MayMatch(files[0]));
  EXPECT_TRUE(OfDates({testing::kFirstDay + 1}).MayMatch(files[1]));
}

TEST(GoldTableTest, GoldRecordsOnlyThePassOfSilver) {
  tables::RefineStanding silver;
  EXPECT_EQ(GoldStanding(silver).pass, 0) << "the empty pass, which is not the same as none";
  silver.pass = 7;
  silver.author = 8;
  silver.complete_through_ms = 9;
  silver.bronze_version = 10;
  silver.ends[{"topic", 0}] = 11;
  const auto gold = GoldStanding(silver);
  EXPECT_THAT(tables::RefineTxns(gold),
              ElementsAre(::testing::Pair("shopstream-refine", 7),
                          ::testing::Pair("shopstream-refine/author", 8),
                          ::testing::Pair("shopstream-refine/complete-through", 9)));
}

}  // namespace
}  // namespace shopstream::refine
