#include "base/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "base/format.h"

namespace shopstream {
namespace {

// Optimal string alignment: insertions, deletions, substitutions and swaps of adjacent characters.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string NearestName(const std::string& name, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestName = 200;  // Bounds the quadratic work on user input.
  if (name.empty() || name.size() > kLongestName) return "";
  std::string nearest;
  // One edit in three characters is a typo; more is another word.
  size_t bound = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(ToLower(name), ToLower(candidate));
    if (distance < bound) {
      bound = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestName(name, candidates);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

std::string Then(const std::string& near, const std::string& text) {
  if (near.empty() || text.empty()) return near + "; " + text;
  const char first = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return near + " " + first + text.substr(1);
}

}  // namespace shopstream
