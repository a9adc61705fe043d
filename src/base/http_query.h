#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shopstream {

// Decodes "%2F" and so on; anything that is not a valid escape is kept.
std::string PercentDecode(std::string_view text);

// Text as a single path segment, or as a value of a query (RFC 3986). Colons stay: both allow them.
std::string PercentEncode(std::string_view text);

// The decoded value of a name in "a=1&b=2", where + means a space. The first value if there are
// several, "" if there is none.
std::string QueryValue(std::string_view query, std::string_view name);
// All of them, in their order.
std::vector<std::string> QueryValues(std::string_view query, std::string_view name);

}  // namespace shopstream
