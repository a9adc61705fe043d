#include "sql/completion.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/format.h"
#include "sql/sql_words.h"

namespace shopstream::sql {
namespace {

constexpr const char* kWords[] = {
    "ALL",       "AND",     "AS",    "ASC",    "AVG",      "BETWEEN",  "BY",     "CASE",
    "CAST",      "COUNT",   "CROSS", "DESC",   "DESCRIBE", "DISTINCT", "ELSE",   "END",
    "EXISTS",    "EXPLAIN", "FALSE", "FILTER", "FROM",     "GROUP",    "HAVING", "IN",
    "INTERVAL",  "INTO",    "IS",    "JOIN",   "LEFT",     "LIKE",     "LIMIT",  "MAX",
    "MIN",       "NOT",     "NULL",  "OFFSET", "ON",       "OR",       "ORDER",  "OVER",
    "PARTITION", "QUALIFY", "RANGE", "RIGHT",  "ROWS",     "SELECT",   "SHOW",   "SUM",
    "SUMMARIZE", "TABLES",  "THEN",  "TRUE",   "UNION",    "USING",    "VALUES", "WHEN",
    "WHERE",     "WITH"};

bool IsNameByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
}

std::string_view LastName(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && IsNameByte(text[begin - 1])) --begin;
  return text.substr(begin);
}

std::optional<std::string> Known(const std::vector<std::string>& tables, std::string_view name) {
  const auto found = std::ranges::find_if(tables, [&](const std::string& table) {
    return ToLower(table) == ToLower(std::string(name));
  });
  return found == tables.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

Completions Complete(std::string_view text, const std::vector<std::string>& tables,
                     const std::function<std::vector<std::string>(const std::string&)>& columns) {
  const std::string_view name = LastName(text);
  Completions found{.typed = name.size(), .words = {}};
  const auto add = [&, begun = ToLower(std::string(name))](const std::string& word) {
    if (ToLower(word).starts_with(begun)) found.words.push_back(word);
  };
  const std::string_view before = text.substr(0, text.size() - name.size());
  if (before.ends_with('.')) {
    const auto table = Known(tables, LastName(before.substr(0, before.size() - 1)));
    if (table) std::ranges::for_each(columns(*table), add);
  } else {
    std::ranges::for_each(tables, add);
    for (const std::string& word : SqlWords(before)) {
      const auto table = Known(tables, word);
      if (table) std::ranges::for_each(columns(*table), add);
    }
    const bool lower = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) != 0;
    for (const char* word : kWords) {
      if (!name.empty()) add(lower ? ToLower(word) : word);
    }
  }
  std::ranges::sort(found.words);
  const auto doubled = std::ranges::unique(found.words);
  found.words.erase(doubled.begin(), doubled.end());
  return found;
}

}  // namespace shopstream::sql
