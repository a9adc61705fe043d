#include "tables/erased_offsets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "lake/delta/table.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

OffsetsByTopic Offsets(const std::string& topic_id, const std::string& text) {
  return {{topic_id, ReplayedOffsets::Parse(text).ValueOrDie()}};
}

class ErasedOffsetsTest : public ::testing::Test {
 protected:
  std::shared_ptr<const lake::Snapshot> With(const std::map<std::string, std::string>& properties) {
    store_ = std::make_unique<simulate::MemoryStore>();
    lake::TableSpec spec = QuarantineSpec("t");
    spec.properties = properties;
    table_ = lake::Table::OpenOrCreate(store_.get(), spec).ValueOrDie();
    return table_->snapshot();
  }

  std::unique_ptr<simulate::MemoryStore> store_;
  std::unique_ptr<lake::Table> table_;
};

TEST_F(ErasedOffsetsTest, AreRecordedInAdditionToWhatTheTableHas) {
  const auto first =
      RemovedProperties(*With({}), Removal::kErased, Offsets("A", "0:5")).ValueOrDie();
  EXPECT_THAT(first, ElementsAre(Pair("shopstream.erased.A", "0:5")));
  const auto table = With(first);
  EXPECT_THAT(RemovedProperties(*table, Removal::kErased, Offsets("A", "0:6;1:2")).ValueOrDie(),
              ElementsAre(Pair("shopstream.erased.A", "0:5+1;1:2")));
  EXPECT_THAT(RemovedProperties(*table, Removal::kErased, Offsets("A", "0:5")).ValueOrDie(),
              IsEmpty())
      << "known already";
}

TEST_F(ErasedOffsetsTest, TheTwoReasonsAreKeptApart) {
  const auto table = With({{"shopstream.erased.A", "0:5"}, {"shopstream.expired.A", "0:7"}});
  const auto erased = ReadRemoved(*table, Removal::kErased).ValueOrDie();
  EXPECT_TRUE(Contains(erased, "A", 0, 5));
  EXPECT_FALSE(Contains(erased, "A", 0, 7));
  EXPECT_FALSE(Contains(erased, "B", 0, 5));
  const auto all = ReadRemoved(*table).ValueOrDie();
  EXPECT_TRUE(Contains(all, "A", 0, 7));
  EXPECT_EQ(2, Count(all));
}

TEST_F(ErasedOffsetsTest, ADamagedPropertyIsNamed) {
  EXPECT_THAT(ReadRemoved(*With({{"shopstream.expired.A", "0:x"}})).status().message(),
              HasSubstr("property shopstream.expired.A is damaged"));
}

TEST_F(ErasedOffsetsTest, TheLastEraseIsReadAsItWasWritten) {
  const auto last = ReadLastErase(
      *With(LastEraseProperty({.task = 7, .at_ms = 8, .dates = {std::nullopt, 20385}})));
  EXPECT_EQ(7, last->task);
  EXPECT_EQ(8, last->at_ms);
  EXPECT_EQ((std::set<std::optional<int32_t>>{std::nullopt, 20385}), last->dates);
  EXPECT_EQ(0, ReadLastErase(*With({}))->task);
  EXPECT_THAT(ReadLastErase(*With({{"shopstream.erase", "{"}})).status().message(),
              HasSubstr("property shopstream.erase is damaged"));
}

}  // namespace
}  // namespace shopstream::tables
