#pragma once

#include <string>
#include <vector>

namespace shopstream {

// The candidate nearest to `name` by edit distance (a swap of adjacent characters counts as one
// edit), or "" if none is near. Case is ignored.
std::string NearestName(const std::string& name, const std::vector<std::string>& candidates);

// "; did you mean 'x'?" for the end of a message, or "" if no candidate is near.
std::string DidYouMean(const std::string& name, const std::vector<std::string>& candidates);

// What follows DidYouMean: "; create it", or a separate sentence after its question.
std::string Then(const std::string& near, const std::string& text);

}  // namespace shopstream
