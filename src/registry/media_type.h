#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shopstream::registry {

// The registry's media type for the answer, chosen by the Accept header; nothing if the header
// accepts none of them (406). An empty header accepts any.
std::optional<std::string> ChooseMediaType(std::string_view accept);

// Whether a body of this Content-Type is accepted (otherwise 415): JSON by any of the registry's
// names, or no type.
bool TakesMediaType(std::string_view content_type);

}  // namespace shopstream::registry
