#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream::registry {

// The parts of a path, decoded; "/a/b/" has two. A subject is one part, whatever it holds, where
// its slashes are sent as %2F; those sent bare are put together again by MatchPath.
std::vector<std::string> SplitPath(std::string_view raw_path);

// What stands in the places of '*' in a pattern such as "subjects/*/versions/*"; nothing where the
// path is another. "**" takes one part or several, and may stand once.
std::optional<std::vector<std::string>> MatchPath(std::string_view pattern,
                                                  const std::vector<std::string>& parts);

}  // namespace shopstream::registry
