#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::generate {

struct Product {
  std::string id;    // "ELE-0007"
  std::string name;  // "Voltra Smart Watch"
  int category = 0;  // Index into Catalogue::categories.
  double price_usd = 0;
  double popularity = 0;  // A weight: by Zipf's law over all products.
};

struct Category {
  std::string name;
  std::vector<double> quantity_weights;  // For buying one, two, three ... pieces.
};

struct Catalogue {
  std::vector<Category> categories;
  std::vector<Product> products;
};

// Reads the format of catalogue.yaml. Equal text gives an equal catalogue. Invalid names the place.
Result<Catalogue> ParseCatalogue(std::string_view yaml);
// The catalogue built into the program.
Result<Catalogue> BuiltInCatalogue();

}  // namespace shopstream::generate
