#pragma once

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/http_message.h"

namespace shopstream {

// The decoded parts of a path; "/a/b/" has two. A subject is one part, whatever it contains, if its
// slashes are sent as %2F; MatchPath joins subjects with unescaped slashes.
std::vector<std::string> SplitPath(std::string_view raw_path);

// The parts that match '*' in a pattern such as "subjects/*/versions/*"; nothing if the path does
// not match. "**" matches one or more parts and may occur once.
std::optional<std::vector<std::string>> MatchPath(std::string_view pattern,
                                                  const std::vector<std::string>& parts);

template <typename Route>
struct RouteMatch {
  const Route* route = nullptr;  // Null: none.
  std::vector<std::string> captures;
  bool path_known = false;  // Some route has the path, perhaps with another method.
};

// The first matching one of `routes`, which have a `method` and a `pattern`. GET also serves HEAD.
template <typename Routes>
auto FindRoute(const Routes& routes, const HttpRequest& request) {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const std::vector<std::string> parts = SplitPath(request.raw_path);
  RouteMatch<std::remove_cvref_t<decltype(*std::begin(routes))>> match;
  for (const auto& route : routes) {
    auto captures = MatchPath(route.pattern, parts);
    if (!captures.has_value()) continue;
    match.path_known = true;
    if (method != route.method) continue;
    match.route = &route;
    match.captures = *std::move(captures);
    return match;
  }
  return match;
}

}  // namespace shopstream
