#include "refine/fixture_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/value_text.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

Result<std::shared_ptr<arrow::RecordBatch>> Rows(const std::string& yaml) {
  return ParseBronzeRows(YamlReader("f.yaml"), YAML::Load(yaml));
}

std::string Value(const arrow::RecordBatch& rows, const std::string& column, int64_t row) {
  const auto values = rows.GetColumnByName(column);
  return values->IsNull(row) ? "NULL" : sql::ValueText(*values, row);
}

TEST(FixtureRows, WhatARowDoesNotNameIsThatOfAnOrdinaryPurchase) {
  const auto rows = Rows("[{}, {timestamp: 2025-10-25T23:59:59.5Z, amount: 2.5}]").ValueOrDie();
  EXPECT_EQ("e0", Value(*rows, "event_id", 0));
  EXPECT_EQ("e1", Value(*rows, "event_id", 1));
  EXPECT_EQ("1", Value(*rows, "kafka_offset", 1));
  EXPECT_EQ("2.5", Value(*rows, "amount", 1));
  EXPECT_EQ("2025-10-25", Value(*rows, "date", 1));
  EXPECT_EQ("2025-10-26T00:00:00.500Z", Value(*rows, "kafka_timestamp", 1));
  EXPECT_EQ("2025-10-26T00:00:01.500Z", Value(*rows, "ingested_at", 1));
}

TEST(FixtureRows, ATildeIsAMissingValue) {
  const auto rows = Rows("[{event_id: ~, timestamp: ~, amount: .nan}]").ValueOrDie();
  EXPECT_EQ("NULL", Value(*rows, "event_id", 0));
  EXPECT_EQ("NULL", Value(*rows, "timestamp", 0));
  EXPECT_EQ("NULL", Value(*rows, "date", 0));
  EXPECT_EQ("NaN", Value(*rows, "amount", 0));
}

TEST(FixtureRows, ARowContinuesAnother) {
  const auto rows = Rows("[&a {user_id: 7, amount: 3}, {<<: *a, amount: 4}]").ValueOrDie();
  EXPECT_EQ("7", Value(*rows, "user_id", 1));
  EXPECT_EQ("4", Value(*rows, "amount", 1));
  EXPECT_EQ("e1", Value(*rows, "event_id", 1));
}

TEST(FixtureRows, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(Rows("\n[{amout: 1}]").status().message(),
              HasSubstr("f.yaml, line 2: unknown key 'amout'; did you mean 'amount'?"));
  EXPECT_EQ("f.yaml, line 1: 'many' is not a value of quantity (int64)",
            Rows("[{quantity: many}]").status().message());
  EXPECT_EQ("f.yaml, line 1: 'quantity' must be one value",
            Rows("[{quantity: [1]}]").status().message());
  EXPECT_EQ("f.yaml, line 1: 'input' is a list of rows", Rows("{a: 1}").status().message());
}

}  // namespace
}  // namespace shopstream::refine
