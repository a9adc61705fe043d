#pragma once

#include <string>
#include <string_view>

namespace shopstream {

// "%2F" and so on; what is no escape stays as it is.
std::string PercentDecode(std::string_view text);

// The decoded value of a name in "a=1&b=2", where + is a space; of the first of that name, "" where
// there is none.
std::string QueryValue(std::string_view query, std::string_view name);

}  // namespace shopstream
