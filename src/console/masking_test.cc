#include "console/masking.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace shopstream::console {
namespace {

TEST(Masking, HidesAFieldWhereverItIs) {
  const Masking masking({"card", "shopper.name"});
  nlohmann::ordered_json record = ParseOrderedJson(
      R"({"id": 1, "card": {"number": "4000"}, "lines": [{"Card": "4001", "price": 2}]})");
  masking.Apply(&record);
  EXPECT_EQ(DumpJson(record), R"x({"id":1,"card":"(hidden by console.mask)",)x"
                              R"x("lines":[{"Card":"(hidden by console.mask)","price":2}]})x");
}

TEST(Masking, HidesAPath) {
  const Masking masking({"shopper.name"});
  nlohmann::ordered_json record =
      ParseOrderedJson(R"({"name": "lamp", "shopper": [{"name": "Ann", "age": 7}]})");
  masking.Apply(&record);
  EXPECT_EQ(DumpJson(record),
            R"x({"name":"lamp","shopper":[{"name":"(hidden by console.mask)","age":7}]})x");
}

TEST(Masking, KnowsNamesAndPaths) {
  const Masking masking({"card", "shopper.name"});
  EXPECT_TRUE(masking.active());
  EXPECT_TRUE(masking.masks("card"));
  EXPECT_TRUE(masking.masks("CARD"));
  EXPECT_TRUE(masking.masks("payment.card.number"));
  EXPECT_TRUE(masking.masks("shopper.name"));
  EXPECT_FALSE(masking.masks("name"));
  EXPECT_FALSE(masking.masks("cards"));
  EXPECT_TRUE(masking.masks_column("Shopper_Name"));
  EXPECT_FALSE(masking.masks_column("name"));
}

TEST(Masking, IsOffByDefault) {
  const Masking masking({});
  EXPECT_FALSE(masking.active());
  EXPECT_FALSE(masking.masks("card"));
}

}  // namespace
}  // namespace shopstream::console
