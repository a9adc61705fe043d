#include "simulate/simulated_rules.h"

#include <sstream>
#include <utility>
#include <vector>

#include "refine/fingerprint.h"
#include "refine/lookups.h"
#include "refine/rules.h"

namespace shopstream::simulate {
namespace {

// The lines below the header, by their fields.
std::vector<std::vector<std::string>> Lines(const std::string& csv) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    auto& values = lines.emplace_back();
    for (std::string value; std::getline(fields, value, ',');) values.push_back(value);
  }
  return lines;
}

}  // namespace

Result<std::shared_ptr<const refine::RuleBook>> BookOfText(int number) {
  const RuleText& text = RuleTextOf(number);
  auto book = std::make_shared<refine::RuleBook>();
  ARROW_ASSIGN_OR_RAISE(book->rules, refine::ParseRules(text.rules, "rules.yaml"));
  std::vector<refine::Rate> rates;
  for (const auto& line : Lines(text.rates)) {
    ARROW_ASSIGN_OR_RAISE(rates.emplace_back(), refine::ParseRate(line[0], line[1], line[2]));
  }
  ARROW_ASSIGN_OR_RAISE(book->lookups.rates, refine::RatesTable(std::move(rates)));
  std::map<std::string, std::string> categories;
  for (const auto& line : Lines(text.categories)) categories[line[0]] = line[1];
  ARROW_ASSIGN_OR_RAISE(book->lookups.categories, refine::CategoriesTable(categories));
  ARROW_ASSIGN_OR_RAISE(book->silver, refine::BuiltInSilver());
  book->fingerprint = refine::FingerprintOf(book->rules, book->lookups, book->silver.text,
                                            book->late_after_seconds);
  return book;
}

Result<std::string> FingerprintOfText(int number) {
  ARROW_ASSIGN_OR_RAISE(const auto book, BookOfText(number));
  return refine::ShortHash(book->fingerprint);
}

refine::RuleSource RulesFrom(const int* number) {
  return {.stamp = [number] { return std::to_string(*number); },
          .read = [number] { return BookOfText(*number); }};
}

}  // namespace shopstream::simulate
