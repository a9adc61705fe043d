#pragma once

#include <string>
#include <vector>

namespace shopstream {

// The candidate nearest to `name` by edit distance (a swap of adjacent characters counts as one
// edit), or "" if none is near. Case is ignored.
std::string NearestName(const std::string& name, const std::vector<std::string>& candidates);

// "; did you mean 'x'?" for the end of a message, or "" if no candidate is near.
std::string DidYouMean(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace shopstream
