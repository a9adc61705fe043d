#pragma once

#include <string>
#include <string_view>

namespace shopstream {

// The 32 bytes of the text's SHA-256.
std::string Sha256(std::string_view text);

}  // namespace shopstream
