#include "refine/volatile_sql.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/format.h"
#include "sql/sql_words.h"

namespace shopstream::refine {
namespace {

constexpr const char* kVolatile[] = {"NOW",
                                     "TODAY",
                                     "CURDATE",
                                     "RANDOM",
                                     "RAND",
                                     "RANDN",
                                     "UUID",
                                     "UUIDV4",
                                     "UUIDV7",
                                     "GEN_RANDOM_UUID",
                                     "SHUFFLE",
                                     "NEXTVAL",
                                     "GET_CURRENT_TIMESTAMP",
                                     "GET_CURRENT_TIME",
                                     "TRANSACTION_TIMESTAMP"};
// These are written without parentheses as well.
constexpr const char* kWithoutCall[] = {"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME",
                                        "LOCALTIME", "LOCALTIMESTAMP"};

}  // namespace

std::string VolatileFunctionIn(const std::string& sql) {
  const std::vector<std::string> words = sql::SqlWords(sql);
  for (size_t i = 0; i < words.size(); ++i) {
    const bool is_call = i + 1 < words.size() && words[i + 1] == "(";
    if ((is_call && std::ranges::find(kVolatile, words[i]) != std::end(kVolatile)) ||
        std::ranges::find(kWithoutCall, words[i]) != std::end(kWithoutCall)) {
      return ToLower(words[i]);
    }
  }
  return "";
}

}  // namespace shopstream::refine
