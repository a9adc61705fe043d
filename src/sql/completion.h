#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream::sql {

struct Completions {
  size_t typed = 0;                // Bytes before the cursor that belong to the word.
  std::vector<std::string> words;  // Those that begin with them, whatever the case; sorted.
};

// What may stand where the text ends: a table, a column of a table that the text names, or a word
// of SQL in the case that was begun; after "table." its columns alone. `columns` is asked for few
// tables, because a table must be opened for it.
Completions Complete(std::string_view text, const std::vector<std::string>& tables,
                     const std::function<std::vector<std::string>(const std::string&)>& columns);

}  // namespace shopstream::sql
