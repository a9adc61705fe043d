#include "tables/table_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"

namespace shopstream::tables {
namespace {

using ::testing::HasSubstr;

Result<std::optional<TableLayout>> Stored(const std::map<std::string, std::string>& properties) {
  simulate::MemoryStore store;
  lake::TableSpec spec = QuarantineSpec("t");
  spec.properties = properties;
  const auto table = *lake::Table::OpenOrCreate(&store, spec);
  return ReadTableLayout(*table->snapshot());
}

TEST(TableLayout, IsReadAsItWasWritten) {
  const TableLayout layout{.partition = {{"head.land", "head_land"}, {"date", "date_"}},
                           .event_time_path = "at",
                           .event_time_unit = "ms"};
  const auto stored = Stored({{kLayoutProperty, Format(layout)}});
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(layout, **stored);
  EXPECT_EQ(std::nullopt, *Stored({}));
}

TEST(TableLayout, AnotherTextIsRefused) {
  for (const char* text : {"", "[]", "{}", R"({"partition": [], "eventTime": {}})",
                           R"({"partition": [{"path": "a"}], "eventTime": {"path": ""}})",
                           R"({"partition": 1, "eventTime": {"path": ""}})"}) {
    EXPECT_THAT(Stored({{kLayoutProperty, text}}).status().message(), HasSubstr("is not a layout"))
        << text;
  }
}

}  // namespace
}  // namespace shopstream::tables
