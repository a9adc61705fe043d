#include "tables/record_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/delta/table.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"

namespace shopstream::tables {
namespace {

using ::testing::HasSubstr;

Result<RecordTypes> StoredAs(const std::string& text) {
  simulate::MemoryStore store;
  lake::TableSpec spec = QuarantineSpec("t");
  if (!text.empty()) spec.properties[kTypesProperty] = text;
  return ReadRecordTypes(*(*lake::Table::OpenOrCreate(&store, spec))->snapshot());
}

TEST(RecordTypesTest, AreReadAsWritten) {
  const RecordTypes types = {{"shop.Paid", "bronze-shop-paid"}, {"Größe", "bronze-größe"}};
  EXPECT_EQ(types, *StoredAs(Format(types)));
  EXPECT_TRUE(StoredAs("")->empty());
  for (const char* text : {"[]", "x", R"({"a": 1})"}) {
    EXPECT_THAT(StoredAs(text).status().message(), HasSubstr(kTypesProperty)) << text;
  }
}

TEST(RecordTypesTest, ATableHasTheTypesNameInLowerCase) {
  EXPECT_EQ("bronze-events-shop-v2-orderpaid", SideTablePath("bronze-events", "shop.v2.OrderPaid"));
  EXPECT_EQ("b-größe", SideTablePath("b", "GRÖßE"));
}

TEST(RecordTypesTest, ATableBelongsToOneType) {
  const RecordTypes known = {{"shop.Paid", "b-shop-paid"}};
  EXPECT_TRUE(CheckNewType(known, "shop.Sent", "b-shop-sent", "q").ok());
  EXPECT_TRUE(CheckNewType(known, "shop.Paid", "b-shop-paid", "q").ok()) << "it has it already";
  EXPECT_THAT(CheckNewType(known, "shop.PAID", "b-shop-paid", "q").message(),
              HasSubstr("type shop.Paid has it"));
  EXPECT_THAT(CheckNewType({}, "Quarantine", "b-quarantine", "b-quarantine").message(),
              HasSubstr("lake.quarantine_table"));
  EXPECT_THAT(CheckNewType({}, "x", std::string(201, 'x'), "q").message(), HasSubstr("too long"));
}

TEST(RecordTypesTest, TheirNumberIsBounded) {
  RecordTypes known;
  for (size_t i = 0; i < kMaxRecordTypes; ++i) {
    known["t" + std::to_string(i)] = "b-t" + std::to_string(i);
  }
  EXPECT_THAT(CheckNewType(known, "more", "b-more", "q").message(), HasSubstr("50 types"));
  EXPECT_TRUE(CheckNewType(known, "t7", "b-t7", "q").ok());
}

}  // namespace
}  // namespace shopstream::tables
