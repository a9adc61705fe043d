#include "generate/shoppers.h"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <numeric>

namespace shopstream {
extern const std::string_view kShoppersYaml;
}

namespace shopstream::generate {
namespace {

template <size_t N>
std::array<double, N> ReadWeights(const YAML::Node& node) {
  auto weights = node.as<std::array<double, N>>();
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / N;
  for (double& weight : weights) weight /= mean;
  return weights;
}

Region ReadRegion(const YAML::Node& node) {
  return {.name = node["name"].as<std::string>(),
          .currency = node["currency"].as<std::string>(),
          .rate = node["rate"].as<double>(),
          .steps_per_unit = static_cast<int>(std::lround(1 / node["smallest"].as<double>())),
          .share = node["share"].as<double>(),
          .utc_offset_hours = node["utc_offset"].as<int>()};
}

Shoppers ReadShoppers(const YAML::Node& root) {
  Shoppers shoppers;
  shoppers.seed = root["seed"].as<uint64_t>();
  shoppers.users = root["users"].as<int>();
  shoppers.activity_exponent = root["activity_exponent"].as<double>();
  shoppers.away_share = root["away_share"].as<double>();
  shoppers.purchases_per_day = root["purchases_per_day"].as<double>();
  shoppers.hour_weights = ReadWeights<24>(root["hours"]);
  shoppers.weekday_weights = ReadWeights<7>(root["weekdays"]);
  double shares = 0;
  for (const YAML::Node& node : root["regions"]) {
    shoppers.regions.push_back(ReadRegion(node));
    shares += shoppers.regions.back().share;
  }
  for (Region& region : shoppers.regions) region.share /= shares;
  for (const YAML::Node& node : root["discounts"]) {
    shoppers.discounts.push_back({node["share"].as<double>(), 1 - node["off"].as<double>()});
  }
  return shoppers;
}

}  // namespace

Result<Shoppers> ParseShoppers(std::string_view yaml) {
  try {
    Shoppers shoppers = ReadShoppers(YAML::Load(std::string(yaml)));
    if (shoppers.regions.empty()) return Status::Invalid("shoppers: there is no region");
    if (shoppers.users < static_cast<int>(shoppers.regions.size())) {
      return Status::Invalid("shoppers: fewer users than regions");
    }
    if (!(shoppers.purchases_per_day > 0)) {
      return Status::Invalid("shoppers: purchases_per_day must be above zero");
    }
    return shoppers;
  } catch (const YAML::Exception& error) {
    return Status::Invalid("shoppers: line ", error.mark.line + 1, ": ", error.msg);
  }
}

Result<Shoppers> BuiltInShoppers() { return ParseShoppers(kShoppersYaml); }

double Rhythm(const Shoppers& shoppers, const Region& region, int64_t utc_millis) {
  const double local_hours =
      static_cast<double>(utc_millis + region.utc_offset_hours * kHourMillis) / kHourMillis;
  // A weight applies to the middle of its hour; between two middles it changes linearly.
  const double shifted = local_hours - 0.5;
  const auto before = static_cast<int64_t>(std::floor(shifted));
  const double part = shifted - static_cast<double>(before);
  const auto modulo = [](int64_t value, int64_t by) { return ((value % by) + by) % by; };
  const double hour = shoppers.hour_weights[modulo(before, 24)] * (1 - part) +
                      shoppers.hour_weights[modulo(before + 1, 24)] * part;
  const auto local_day = static_cast<int64_t>(std::floor(local_hours / 24));
  return hour * shoppers.weekday_weights[modulo(local_day + 3, 7)];  // 1970-01-01: a Thursday.
}

}  // namespace shopstream::generate
