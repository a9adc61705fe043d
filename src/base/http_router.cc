#include "base/http_router.h"

#include "base/http_query.h"

namespace shopstream {
namespace {

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = text.find('/');
    const std::string_view part = text.substr(0, end);
    if (!part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

}  // namespace

std::vector<std::string> SplitPath(std::string_view raw_path) {
  std::vector<std::string> parts;
  for (const std::string_view part : Split(raw_path)) parts.push_back(PercentDecode(part));
  return parts;
}

std::optional<std::vector<std::string>> MatchPath(std::string_view pattern,
                                                  const std::vector<std::string>& parts) {
  const std::vector<std::string_view> wanted = Split(pattern);
  if (parts.size() < wanted.size()) return std::nullopt;
  std::vector<std::string> captures;
  size_t at = 0;
  for (const std::string_view part : wanted) {
    if (part == "**") {
      std::string joined = parts[at++];
      for (size_t more = parts.size() - wanted.size(); more > 0; --more)
        joined += "/" + parts[at++];
      captures.push_back(joined);
    } else if (part == "*") {
      captures.push_back(parts[at++]);
    } else if (part != parts[at++]) {
      return std::nullopt;
    }
  }
  if (at != parts.size()) return std::nullopt;
  return captures;
}

}  // namespace shopstream
