#include "generate/source_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream::generate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kSales = R"(file: sales.csv
joins:
  items: {file: /data/items.csv, key: number, on: item}
event:
  event_id: {uuid5: "{basket}/{item}", namespace: 6ba7b811-9dad-11d1-80b4-00c04fd430c8}
  user_id: {column: customer}
  region: {column: shop, modulo: 3, values: {0: US, 1: EU, 2: ASIA}}
  product_id: {column: item}
  product_name: {text: ["{items.name}", "Item {item}"], case: title}
  quantity: {value: 1}
  amount: {column: paid}
  currency: {field: region, values: {US: USD, EU: EUR}, otherwise: JPY}
  timestamp: {column: bought_at}
)";

// kSales with one piece of its text replaced.
std::string Sales(const std::string& from, const std::string& to) {
  std::string text = kSales;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& yaml) {
  const auto mapping = ParseSourceMapping(yaml, "dir/sales.yaml");
  EXPECT_TRUE(mapping.status().IsInvalid()) << mapping.status();
  return mapping.status().message();
}

TEST(SourceMapping, ReadsEveryKindOfRule) {
  const auto mapping = ParseSourceMapping(kSales, "dir/sales.yaml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_EQ(mapping->file, "dir/sales.csv");
  EXPECT_EQ(mapping->joins[0].file, "/data/items.csv");
  EXPECT_EQ(mapping->fields.at("user_id").kind, RuleKind::kColumn);
  EXPECT_EQ(mapping->fields.at("quantity").value, "1");
  EXPECT_EQ(mapping->fields.at("region").modulo, 3);
  EXPECT_EQ(mapping->fields.at("region").values.at("2"), "ASIA");
  EXPECT_EQ(mapping->fields.at("currency").field, "region");
  EXPECT_EQ(mapping->fields.at("currency").otherwise, "JPY");
  const FieldRule& name = mapping->fields.at("product_name");
  EXPECT_TRUE(name.title_case);
  ASSERT_EQ(name.texts.size(), 2u);
  EXPECT_THAT(name.texts[0].columns, ElementsAre(ColumnRef{0, "name"}));
  EXPECT_THAT(name.texts[1].literals, ElementsAre("Item ", ""));
}

TEST(SourceMapping, KnowsWhichColumnsItNeeds) {
  const auto mapping = ParseSourceMapping(kSales, "sales.yaml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_THAT(ColumnsOf(*mapping, -1),
              ElementsAre("basket", "bought_at", "customer", "item", "paid", "shop"));
  EXPECT_THAT(ColumnsOf(*mapping, 0), ElementsAre("name", "number"));
}

TEST(SourceMapping, UnknownKeysNameTheNearest) {
  EXPECT_THAT(ErrorOf(Sales("{column: customer}", "{colum: customer}")),
              AllOf(HasSubstr("dir/sales.yaml, line 6"), HasSubstr("'colum'"),
                    HasSubstr("did you mean 'column'?")));
  EXPECT_THAT(ErrorOf(Sales("  quantity:", "  quantitiy:")),
              AllOf(HasSubstr("line 10"), HasSubstr("did you mean 'quantity'?")));
  EXPECT_THAT(ErrorOf(Sales("joins:", "join:")), HasSubstr("did you mean 'joins'?"));
  EXPECT_THAT(ErrorOf(Sales("on: item", "off: item")), HasSubstr("unknown key 'off'"));
}

TEST(SourceMapping, MissingPartsAreNamed) {
  EXPECT_THAT(ErrorOf(Sales("  quantity: {value: 1}\n", "")),
              HasSubstr("field 'quantity' is missing"));
  EXPECT_THAT(ErrorOf(Sales("file: sales.csv\n", "")), HasSubstr("'file' is missing"));
  EXPECT_THAT(ErrorOf(Sales("{value: 1}", "{}")), HasSubstr("needs one of"));
  EXPECT_THAT(ErrorOf(Sales(", values: {0: US, 1: EU, 2: ASIA}", "")), HasSubstr("'values'"));
  EXPECT_THAT(ErrorOf("file: a.csv\n"), HasSubstr("there is no 'event'"));
}

TEST(SourceMapping, WrongPartsAreNamed) {
  EXPECT_THAT(
      ErrorOf(Sales("EU: EUR", "EU: EURO")),
      AllOf(HasSubstr("'EURO' is not a value of currency"), HasSubstr("did you mean 'EUR'?")));
  EXPECT_THAT(ErrorOf(Sales("{items.name}", "{item.name}")),
              AllOf(HasSubstr("there is no join 'item'"), HasSubstr("did you mean 'items'?")));
  EXPECT_THAT(ErrorOf(Sales("{items.name}", "{items.name")), HasSubstr("has a '{' without a '}'"));
  EXPECT_THAT(ErrorOf(Sales("modulo: 3", "modulo: 0")), HasSubstr("above zero"));
  EXPECT_THAT(ErrorOf(Sales("case: title", "case: upper")), HasSubstr("'case' can be: title"));
  EXPECT_THAT(ErrorOf(Sales("6ba7b811", "6ba7")), HasSubstr("is not a UUID"));
  EXPECT_THAT(ErrorOf(Sales("{column: customer}", "{text: \"{customer}\"}")),
              HasSubstr("'user_id' is of type int32"));
  EXPECT_THAT(ErrorOf(Sales("{field: region", "{field: currency")), HasSubstr("not possible"));
  EXPECT_THAT(ErrorOf(Sales("{field: region", "{field: regoin")),
              HasSubstr("did you mean 'region'?"));
}

TEST(SourceMapping, BrokenYamlNamesTheLine) {
  EXPECT_THAT(ErrorOf("file: a.csv\nevent: {"), HasSubstr("dir/sales.yaml, line"));
}

TEST(SourceMapping, AnAbsentFileIsAnError) {
  EXPECT_TRUE(LoadSourceMapping("/no/such.yaml").status().IsIOError());
}

}  // namespace
}  // namespace shopstream::generate
