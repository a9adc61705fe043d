#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream::registry {

// The decoded parts of a path; "/a/b/" has two. A subject is one part, whatever it contains, if its
// slashes are sent as %2F; MatchPath joins subjects with unescaped slashes.
std::vector<std::string> SplitPath(std::string_view raw_path);

// The parts that match '*' in a pattern such as "subjects/*/versions/*"; nothing if the path does
// not match. "**" matches one or more parts and may occur once.
std::optional<std::vector<std::string>> MatchPath(std::string_view pattern,
                                                  const std::vector<std::string>& parts);

}  // namespace shopstream::registry
