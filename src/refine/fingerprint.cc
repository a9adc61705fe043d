#include "refine/fingerprint.h"

#include "base/format.h"
#include "base/sha256.h"
#include "refine/judge_sql.h"
#include "sql/value_text.h"

namespace shopstream::refine {
namespace {

std::string HashOfPart(const std::string& text) { return FormatHex(Sha256(text)).substr(0, 16); }

// Parts follow each other without ambiguity.
std::string Framed(const std::string& text) { return std::to_string(text.size()) + ":" + text; }

std::string RowsText(const arrow::RecordBatch& rows) {
  std::string text;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    for (const auto& column : rows.columns()) text += Framed(sql::ValueText(*column, row));
  }
  return text;
}

}  // namespace

Fingerprint FingerprintOf(const Rules& rules, const Lookups& lookups, const std::string& silver_sql,
                          int64_t late_after_seconds) {
  Fingerprint parts;
  for (size_t i = 0; i < rules.rules.size(); ++i) {
    const Rule& rule = rules.rules[i];
    std::string text = Framed(NameOf(rule.action));
    // A reference's condition does not name its table; its number would change with other rules.
    text += Framed(ConditionSql(rule, 0, Dialect::kDuckDb));
    if (const auto* reference = std::get_if<Reference>(&rule.condition)) {
      text += Framed(reference->table) + Framed(reference->key);
    }
    parts["rule " + rule.name] = HashOfPart(text);
  }
  parts["rates"] = HashOfPart(RowsText(*lookups.rates));
  parts["product categories"] = HashOfPart(RowsText(*lookups.categories));
  parts["silver.sql"] = HashOfPart(silver_sql);
  parts["late_after_seconds"] = HashOfPart(std::to_string(late_after_seconds));
  return parts;
}

std::vector<std::string> ChangedParts(const Fingerprint& before, const Fingerprint& after) {
  std::vector<std::string> changed;
  for (const auto& [name, hash] : after) {
    const auto found = before.find(name);
    if (found == before.end() || found->second != hash) changed.push_back(name);
  }
  for (const auto& [name, hash] : before) {
    if (!after.contains(name)) changed.push_back(name);
  }
  return changed;
}

std::string ShortHash(const Fingerprint& fingerprint) {
  std::string text;
  for (const auto& [name, hash] : fingerprint) text += Framed(name) + Framed(hash);
  return HashOfPart(text);
}

}  // namespace shopstream::refine
