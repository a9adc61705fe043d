#include "simulate/rule_texts.h"

#include <array>

namespace shopstream::simulate {
namespace {

// The kinds of rules that need no other action than to reject, and one that only warns. YAML that
// is JSON as well, which Python reads without further packages.
constexpr char kRules[] = R"({"rules": [
  {"name": "has_user", "owner": "shop", "description": "d", "action": "reject",
   "not_null": {"column": "user_id"}},
  {"name": "has_region", "owner": "shop", "description": "d", "action": "reject",
   "not_null": {"column": "region"}},
  {"name": "quantity_range", "owner": "shop", "description": "d", "action": "reject",
   "range": {"column": "quantity", "least": 1, "most": 1000}},
  {"name": "positive_amount", "owner": "shop", "description": "d", "action": "reject",
   "range": {"column": "amount", "above": 0}},
  {"name": "cents", "owner": "shop", "description": "d", "action": "reject",
   "two_decimals": {"column": "amount"}},
  {"name": "known_currency", "owner": "shop", "description": "d", "action": "reject",
   "allowed": {"column": "currency", "values": ["USD", "EUR", "JPY", "CHF"]}},
  {"name": "product_code", "owner": "shop", "description": "d", "action": "reject",
   "pattern": {"column": "product_id", "matches": "^P[0-9]+$"}},
  {"name": "known_product", "owner": "shop", "description": "d", "action": "warn",
   "reference": {"column": "product_id", "table": "product_categories", "key": "product_id"}}]})";
constexpr char kStrictRules[] = R"({"rules": [
  {"name": "has_user", "owner": "shop", "description": "d", "action": "reject",
   "not_null": {"column": "user_id"}},
  {"name": "quantity_range", "owner": "shop", "description": "d", "action": "reject",
   "range": {"column": "quantity", "above": 0, "below": 4}},
  {"name": "sane_total", "owner": "shop", "description": "d", "action": "reject",
   "sql": "amount_usd < 100"},
  {"name": "known_product", "owner": "shop", "description": "d", "action": "reject",
   "reference": {"column": "product_id", "table": "product_categories", "key": "product_id"}}]})";
// Halts sooner or later: by the rule that stops, or by many rejects of one rule.
constexpr char kStoppingRules[] = R"({"stop_above": {"percent": 40, "rows": 20}, "rules": [
  {"name": "quantity_range", "owner": "shop", "description": "d", "action": "reject",
   "range": {"column": "quantity", "least": 3}},
  {"name": "sane_total", "owner": "shop", "description": "d", "action": "stop",
   "sql": "amount_usd < 200"}]})";
constexpr char kBrokenRules[] = R"({"rules": [
  {"name": "broken", "owner": "shop", "description": "d", "action": "reject",
   "range": {"column": "amuont", "least": 1}}]})";
constexpr char kRates[] = R"(currency,valid_from,rate
USD,2020-01-01,1
EUR,2020-01-01,1.085
EUR,2025-10-24,1.1
JPY,2020-01-01,0.0066
CHF,2025-10-25,1.12345678
)";
constexpr char kOtherRates[] = R"(currency,valid_from,rate
USD,2020-01-01,1
EUR,2020-01-01,1.0849
EUR,2025-10-25,1.11115
JPY,2020-01-01,0.0067
)";
constexpr char kCategories[] = R"(product_id,category
P1,tea
P2,tea
P3,coffee
P4,cups
P5,cups
P6,spoons
)";

const std::array<RuleText, kRuleTexts>& Texts() {
  static const std::array<RuleText, kRuleTexts> texts = {{
      {kRules, kRates, kCategories},
      {kStrictRules, kRates, kCategories},
      {kRules, kOtherRates, kCategories},
      {R"({"rules": []})", kRates, kCategories},
      {kStoppingRules, kOtherRates, kCategories},
      {kBrokenRules, kRates, kCategories},
  }};
  return texts;
}

}  // namespace

const RuleText& RuleTextOf(int number) { return Texts()[static_cast<size_t>(number)]; }

}  // namespace shopstream::simulate
