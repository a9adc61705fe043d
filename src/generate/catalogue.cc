#include "generate/catalogue.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "generate/alias_table.h"
#include "generate/random.h"

namespace shopstream {
extern const std::string_view kCatalogueYaml;
}

namespace shopstream::generate {
namespace {

// Rounds to typical shop prices: 12.49, 34.99, 249.00.
double LabelPrice(double price) {
  if (price < 10) return std::round(price * 10) / 10 - 0.01;
  if (price < 100) return std::round(price) - 0.01;
  return std::round(price / 10) * 10 - 1;
}

// The brand's level among its rivals decides where in the item's price range it sells.
double DrawPrice(const YAML::Node& range, double brand_level, Random* random) {
  const double low = range[0].as<double>(), high = range[1].as<double>();
  const double level = std::clamp(brand_level + 0.16 * (random->Unit() - 0.5), 0.0, 1.0);
  return std::clamp(LabelPrice(low * std::pow(high / low, level)), low, high);
}

void AddProducts(const YAML::Node& category, int category_index, Random* random,
                 std::vector<Product>* products) {
  const YAML::Node brands = category["brands"];
  int number = 0;
  for (const YAML::Node& item : category["items"]) {
    for (size_t b = 0; b < brands.size(); ++b) {
      const double brand_level =
          (static_cast<double>(b) + 0.5) / static_cast<double>(brands.size());
      products->push_back({
          .id = fmt::format("{}-{:04}", category["code"].as<std::string>(), ++number),
          .name = brands[b].as<std::string>() + " " + item["name"].as<std::string>(),
          .category = category_index,
          .price_usd = DrawPrice(item["price"], brand_level, random),
      });
    }
  }
}

// Assigns the best-seller ranks at random, so that they spread over all categories.
void RankProducts(double exponent, Random* random, std::vector<Product>* products) {
  std::vector<int> order(products->size());
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random->Below(static_cast<uint32_t>(i))]);
  }
  const std::vector<double> weights = ZipfWeights(static_cast<int>(order.size()), exponent);
  for (size_t k = 0; k < order.size(); ++k) (*products)[order[k]].popularity = weights[k];
}

Catalogue Read(const YAML::Node& root) {
  Catalogue catalogue;
  Random random(root["seed"].as<uint64_t>());
  for (const YAML::Node& category : root["categories"]) {
    const int index = static_cast<int>(catalogue.categories.size());
    catalogue.categories.push_back(
        {category["name"].as<std::string>(), category["quantities"].as<std::vector<double>>()});
    AddProducts(category, index, &random, &catalogue.products);
  }
  RankProducts(root["popularity_exponent"].as<double>(), &random, &catalogue.products);
  return catalogue;
}

}  // namespace

Result<Catalogue> ParseCatalogue(std::string_view yaml) {
  try {
    Catalogue catalogue = Read(YAML::Load(std::string(yaml)));
    if (catalogue.products.empty()) return Status::Invalid("catalogue: it has no product");
    return catalogue;
  } catch (const YAML::Exception& error) {
    return Status::Invalid("catalogue: line ", error.mark.line + 1, ": ", error.msg);
  }
}

Result<Catalogue> BuiltInCatalogue() { return ParseCatalogue(kCatalogueYaml); }

}  // namespace shopstream::generate
