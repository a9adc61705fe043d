#pragma once

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "refine/fixture_rows.h"
#include "refine/lookups.h"
#include "refine/rule_book.h"

namespace shopstream::refine::testing {

// Rows of Bronze, as in fixtures: "[{amount: 2.5}, {currency: JPY}]".
inline std::shared_ptr<arrow::RecordBatch> Purchases(const std::string& yaml) {
  return ParseBronzeRows(YamlReader("test"), YAML::Load(yaml)).ValueOrDie();
}

// Rules from YAML, dollars as they are, euros at 1.085, yen from two dates on, two categories.
inline std::shared_ptr<RuleBook> Book(const std::string& rules = "rules: []") {
  auto book = std::make_shared<RuleBook>();
  book->rules = ParseRules(rules, "rules.yaml").ValueOrDie();
  std::vector<Rate> rates;
  const std::vector<std::vector<std::string>> lines = {{"USD", "2000-01-01", "1"},
                                                       {"EUR", "2000-01-01", "1.085"},
                                                       {"JPY", "2025-01-01", "0.0064"},
                                                       {"JPY", "2025-10-24", "0.00650001"}};
  for (const auto& line : lines) {
    rates.push_back(ParseRate(line[0], line[1], line[2]).ValueOrDie());
  }
  book->lookups.rates = RatesTable(std::move(rates)).ValueOrDie();
  book->lookups.categories = CategoriesTable({{"P1", "Drinks"}, {"P2", "Tools"}}).ValueOrDie();
  book->silver = BuiltInSilver().ValueOrDie();
  return book;
}

}  // namespace shopstream::refine::testing
