#include "avro/schema_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

SchemaChange Compare(std::string_view before, std::string_view after) {
  return CompareSchemas(ParseSchemaText(before), ParseSchemaText(after));
}

constexpr const char* kOrder = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"int"},
    {"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","PAID"]}},
    {"name":"next","type":["null","Order"],"default":null}]})";

TEST(SchemaChangeTest, NothingChanged) {
  const SchemaChange change = Compare(kOrder, kOrder);
  EXPECT_THAT(change.changes, IsEmpty());
  EXPECT_THAT(UpgradeOrder(change), HasSubstr("any order"));
}

TEST(SchemaChangeTest, ChangesAreToldByField) {
  const SchemaChange change = Compare(kOrder, R"({"type":"record","name":"Order","fields":[
      {"name":"number","type":"long","aliases":["id"]},
      {"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","PAID","SENT"]}},
      {"name":"tags","type":{"type":"array","items":"string"},"default":[]}]})");
  EXPECT_THAT(change.changes,
              ElementsAre("number: was called id", "number: type int became long",
                          "state: symbol SENT added", "tags: added, array, default []",
                          "next: removed; old readers see its default null"));
  EXPECT_THAT(change.to_new_reader, IsEmpty());
  EXPECT_THAT(UpgradeOrder(change), StartsWith("Upgrade all readers first"));
}

TEST(SchemaChangeTest, TheOtherOrders) {
  const char* more = R"({"type":"record","name":"Order","fields":[
      {"name":"id","type":"int"}, {"name":"total","type":"double"}]})";
  const char* less = R"({"type":"record","name":"Order","fields":[{"name":"id","type":"int"}]})";
  EXPECT_THAT(UpgradeOrder(Compare(less, more)), StartsWith("Upgrade all writers first"));
  EXPECT_THAT(UpgradeOrder(Compare(R"("int")", R"("string")")), StartsWith("No order works"));
}

}  // namespace
}  // namespace shopstream::avro
