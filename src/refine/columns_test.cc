#include "refine/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

arrow::FieldVector Purchase() {
  arrow::FieldVector fields = {
      arrow::field("event_id", arrow::utf8(), false), arrow::field("user_id", arrow::int64()),
      arrow::field("product_id", arrow::utf8()),      arrow::field("product_name", arrow::utf8()),
      arrow::field("quantity", arrow::int64()),       arrow::field("amount", arrow::float64()),
      arrow::field("currency", arrow::utf8()),        arrow::field("timestamp", tables::Instant())};
  for (auto& field : tables::BronzeFields()) fields.push_back(field);
  return fields;
}

arrow::FieldVector With(arrow::FieldVector fields, const std::vector<std::string>& names) {
  for (const auto& name : names) fields.push_back(arrow::field(name, arrow::utf8()));
  return fields;
}

Result<RefineColumns> Of(arrow::FieldVector fields,
                         std::vector<std::string> partition_columns = {"region", "date"}) {
  for (const auto& name : partition_columns) {
    fields.push_back(arrow::field(name, name == "date" ? arrow::date32() : arrow::utf8()));
  }
  simulate::MemoryStore store;
  const auto table =
      *lake::Table::OpenOrCreate(&store, {.path = "b",
                                          .schema = arrow::schema(fields),
                                          .partition_columns = std::move(partition_columns),
                                          .properties = {}});
  return RefineColumns::Of("b", *table->snapshot());
}

TEST(RefineColumns, SilverHasBronzesColumnsAndItsOwn) {
  const RefineColumns columns = *Of(With(Purchase(), {"shop"}));
  EXPECT_THAT(columns.silver->field_names(),
              ElementsAre("event_id", "user_id", "product_id", "product_name", "quantity", "amount",
                          "currency", "timestamp", "kafka_topic", "kafka_topic_id",
                          "kafka_partition", "kafka_offset", "kafka_timestamp", "schema_id",
                          "ingested_at", "shop", "event_hour", "amount_usd", "product_category",
                          "late", "refine_pass", "refined_at", "region", "date"));
  EXPECT_EQ("decimal128(18, 2)", columns.silver->GetFieldByName("amount_usd")->type()->ToString());
  EXPECT_EQ("reasons", columns.rejects->field(16)->name());
  EXPECT_TRUE(columns.silver->field(0)->nullable());
}

TEST(RefineColumns, AColumnNamedLikeOneOfOursGetsAPrefix) {
  const RefineColumns columns = *Of(With(Purchase(), {"Late", "bronze_late", "refine_pass"}));
  EXPECT_THAT(std::vector(columns.names.begin() + 15, columns.names.begin() + 18),
              ElementsAre("bronze_Late", "bronze_bronze_late", "bronze_refine_pass"));
}

TEST(RefineColumns, ALaterColumnDoesNotRenameAnEarlierOne) {
  const RefineColumns before = *Of(With(Purchase(), {"late"}));
  const RefineColumns after = *Of(With(Purchase(), {"late", "bronze_late"}));
  EXPECT_EQ(before.names[15], after.names[15]);
}

TEST(RefineColumns, ATableOfSomethingElseIsRefusedByName) {
  arrow::FieldVector fields = Purchase();
  fields.erase(fields.begin());
  EXPECT_THAT(Of(fields).status().message(), HasSubstr("table b has no column event_id: refine"));
  fields = Purchase();
  fields[5] = arrow::field("amount", arrow::utf8());
  EXPECT_THAT(Of(fields).status().message(), HasSubstr("column amount is string, but refine"));
  fields = Purchase();
  fields.push_back(arrow::field("region", arrow::utf8()));
  EXPECT_THAT(Of(fields, {"date"}).status().message(), HasSubstr("is partitioned by date"));
}

}  // namespace
}  // namespace shopstream::refine
