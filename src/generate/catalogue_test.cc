#include "generate/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace shopstream::generate {
namespace {

TEST(Catalogue, BuiltInOneIsLargeAndPlausible) {
  const auto catalogue = BuiltInCatalogue();
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  EXPECT_GE(catalogue->products.size(), 500u);
  std::set<std::string> ids, names;
  for (const Product& product : catalogue->products) {
    EXPECT_TRUE(ids.insert(product.id).second) << product.id;
    EXPECT_TRUE(names.insert(product.name).second) << product.name;
    EXPECT_GE(product.price_usd, 1.0) << product.name;
    EXPECT_LE(product.price_usd, 1000.0) << product.name;
  }
}

TEST(Catalogue, EqualTextGivesEqualProducts) {
  const auto one = BuiltInCatalogue(), other = BuiltInCatalogue();
  ASSERT_TRUE(one.ok() && other.ok());
  for (size_t i = 0; i < one->products.size(); ++i) {
    EXPECT_EQ(one->products[i].price_usd, other->products[i].price_usd);
    EXPECT_EQ(one->products[i].popularity, other->products[i].popularity);
  }
}

TEST(Catalogue, DearerBrandsCostMore) {
  const auto catalogue = ParseCatalogue(R"(
seed: 1
popularity_exponent: 1
categories:
  - {name: Tea, code: TEA, quantities: [1], brands: [Plain, Fine],
     items: [{name: Green Tea, price: [2, 20]}]}
)");
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  ASSERT_EQ(catalogue->products.size(), 2u);
  EXPECT_EQ(catalogue->products[0].name, "Plain Green Tea");
  EXPECT_EQ(catalogue->products[1].id, "TEA-0002");
  EXPECT_LT(catalogue->products[0].price_usd, catalogue->products[1].price_usd);
}

TEST(Catalogue, BrokenTextNamesTheLine) {
  const auto catalogue = ParseCatalogue("seed: 1\npopularity_exponent: much\ncategories: []\n");
  ASSERT_TRUE(catalogue.status().IsInvalid());
  EXPECT_THAT(catalogue.status().message(), testing::HasSubstr("line 2"));
  EXPECT_TRUE(ParseCatalogue("seed: 1\npopularity_exponent: 1\n").status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::generate
