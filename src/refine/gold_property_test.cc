// Whatever passes purchases come in, Gold is what its SQL makes of all of them together.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "refine/gold_world_testing.h"

namespace shopstream::refine {
namespace {

using testing::RefinedPurchase;

class RandomPurchases {
 public:
  explicit RandomPurchases(uint32_t seed) : random_(seed) {}

  std::vector<RefinedPurchase> Pass() {
    // Most passes are of one day; some are late and touch many.
    const int days = Below(4) == 0 ? 12 : 2;
    std::vector<RefinedPurchase> rows(static_cast<size_t>(Below(5) == 0 ? 0 : Below(60)));
    for (RefinedPurchase& row : rows) row = One(days);
    return rows;
  }
  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint32_t>(bound)); }

 private:
  RefinedPurchase One(int days) {
    RefinedPurchase row;
    row.user = Maybe(int64_t{Below(9)});
    row.region = Maybe(std::string(Below(2) == 0 ? "EU" : "US"));
    row.day = Maybe(Below(days));
    row.hour = Below(24);
    row.second = Below(3600);
    row.product = Maybe("P" + std::to_string(Below(7)));
    row.name = Maybe("name " + std::to_string(Below(20)));
    row.category = Maybe(std::string(Below(2) == 0 ? "Food" : "Toys"));
    row.quantity = Maybe(int64_t{Below(2000) - 1000});
    row.cents = Maybe(int64_t{Below(2'000'000'000)} * (Below(2) == 0 ? 1 : -1));
    row.delay_seconds = Maybe(int64_t{Below(9000) - 100});
    row.late = Below(3) == 0;
    if (Below(4) == 0) row.reasons = Below(2) == 0 ? "duplicate" : "quantity_range,two_decimals";
    return row;
  }
  template <typename T>
  std::optional<T> Maybe(T value) {
    return Below(12) == 0 ? std::nullopt : std::optional<T>(std::move(value));
  }

  std::mt19937 random_;
};

class GoldPropertyTest : public testing::GoldWorld {
 protected:
  void Run(const GoldFile& file) {
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(file.name + ", seed " + std::to_string(seed));
      RandomPurchases purchases(seed);
      Start(file);
      const int built_after = purchases.Below(4);
      for (int pass = 0; pass < built_after; ++pass) AddPass(purchases.Pass());
      MustBuild();
      for (int pass = 0; pass < 12; ++pass) {
        MustCommit(AddPass(purchases.Pass()));
        if (purchases.Below(4) == 0) Reopen();
      }
      ExpectGold();
      if (HasFailure()) return;
    }
  }
};

TEST_F(GoldPropertyTest, EveryKindOfColumn) { Run(testing::AllKinds()); }
TEST_F(GoldPropertyTest, RevenueHourly) { Run(testing::ProgramFile("revenue_hourly")); }
TEST_F(GoldPropertyTest, ProductDaily) { Run(testing::ProgramFile("product_daily")); }
TEST_F(GoldPropertyTest, CustomerDaily) { Run(testing::ProgramFile("customer_daily")); }
TEST_F(GoldPropertyTest, QualityDaily) { Run(testing::ProgramFile("quality_daily")); }

}  // namespace
}  // namespace shopstream::refine
