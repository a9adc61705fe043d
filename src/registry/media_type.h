#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shopstream::registry {

// The type to answer with of those the registry speaks, as the Accept header asks for it; nothing
// where it takes none of them (406). An empty header takes any.
std::optional<std::string> ChooseMediaType(std::string_view accept);

// Whether a body of this Content-Type is read (else 415): JSON by any of the registry's names, or
// without a type.
bool TakesMediaType(std::string_view content_type);

}  // namespace shopstream::registry
