#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::generate {

inline constexpr int64_t kHourMillis = 3'600'000;

struct Region {
  std::string name;          // As in the event: US, EU, ASIA.
  std::string currency;      // ISO 4217.
  double rate = 1;           // Units of the currency for one USD.
  int steps_per_unit = 100;  // Amounts are multiples of 1/steps_per_unit: 100 for cents, 1 for yen.
  double share = 0;          // Share of all purchases over a week; the shares add up to 1.
  int utc_offset_hours = 0;
};

struct Discount {
  double share = 0;   // Share of all purchases.
  double factor = 1;  // Remaining fraction of the price.
};

struct Shoppers {
  uint64_t seed = 0;
  int users = 0;
  double activity_exponent = 0;
  double away_share = 0;
  double purchases_per_day = 0;
  std::vector<Region> regions;
  std::vector<Discount> discounts;
  std::array<double, 24> hour_weights{};    // Their mean is 1.
  std::array<double, 7> weekday_weights{};  // From Monday on; their mean is 1.
};

// Reads the format of shoppers.yaml. Invalid names the place.
Result<Shoppers> ParseShoppers(std::string_view yaml);
// The shoppers built into the program.
Result<Shoppers> BuiltInShoppers();

// How busy a region is at a given time, 1 being its weekly average; changes smoothly.
double Rhythm(const Shoppers& shoppers, const Region& region, int64_t utc_millis);

}  // namespace shopstream::generate
