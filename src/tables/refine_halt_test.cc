#include "tables/refine_halt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/delta/table.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

using ::testing::HasSubstr;

Result<std::optional<RefineHalt>> StoredAs(const std::map<std::string, std::string>& properties,
                                           int64_t pass) {
  simulate::MemoryStore store;
  lake::TableSpec spec = QuarantineSpec("rejects");
  spec.properties = properties;
  return ReadRefineHalt(*(*lake::Table::OpenOrCreate(&store, spec))->snapshot(), pass);
}

TEST(RefineHaltTest, IsReadAsItWasWritten) {
  const RefineHalt halt = {.pass = 7,
                           .rule = "positive_amount",
                           .found = 612,
                           .rows = 1800,
                           .at_ms = 1'761'303'600'000,
                           .fingerprint = "f",
                           .accepted = {"quantity_range", "stop_above"}};
  EXPECT_EQ(halt, *StoredAs(RefineHaltProperty(halt), 7));
  EXPECT_TRUE(halt.halted());
}

TEST(RefineHaltTest, IsForOnePassOnly) {
  EXPECT_EQ(std::nullopt, *StoredAs(RefineHaltProperty(RefineHalt{.pass = 7, .rule = "r"}), 8));
  EXPECT_EQ(std::nullopt, *StoredAs(RefineHaltProperty(std::nullopt), 7));
  EXPECT_EQ(std::nullopt, *StoredAs({}, 7));
}

TEST(RefineHaltTest, ADamagedPropertyIsNamed) {
  EXPECT_THAT(StoredAs({{"shopstream.refine.halt", "{"}}, 7).status().message(),
              HasSubstr("property shopstream.refine.halt is damaged"));
}

}  // namespace
}  // namespace shopstream::tables
