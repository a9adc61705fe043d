#include "refine/volatile_sql.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/format.h"
#include "sql/sql_words.h"

namespace shopstream::refine {
namespace {

// Written as calls; the second list without parentheses as well.
constexpr std::string_view kCalls[] = {"now",
                                       "today",
                                       "curdate",
                                       "random",
                                       "rand",
                                       "randn",
                                       "uuid",
                                       "uuidv4",
                                       "uuidv7",
                                       "gen_random_uuid",
                                       "shuffle",
                                       "nextval",
                                       "get_current_timestamp",
                                       "get_current_time",
                                       "transaction_timestamp"};
constexpr std::string_view kNames[] = {"current_timestamp", "current_date", "current_time",
                                       "localtime", "localtimestamp"};

bool IsOneOf(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool IsVolatile(std::string_view name) { return IsOneOf(kCalls, name) || IsOneOf(kNames, name); }

std::string VolatileFunctionIn(const std::string& sql) {
  const std::vector<std::string> words = sql::SqlWords(sql);
  for (size_t i = 0; i < words.size(); ++i) {
    const bool is_call = i + 1 < words.size() && words[i + 1] == "(";
    std::string name = ToLower(words[i]);
    if ((is_call && IsOneOf(kCalls, name)) || IsOneOf(kNames, name)) return name;
  }
  return "";
}

}  // namespace shopstream::refine
