#pragma once

#include <string>
#include <string_view>

namespace shopstream::refine {

// Whether the value of the function depends on time or chance; its name in lower case. It must not
// decide anything: a pass that is finished by another process, and the batch SQL, would decide
// otherwise.
bool IsVolatile(std::string_view name);
// The first such function of the text, such as "now"; "": there is none.
std::string VolatileFunctionIn(const std::string& sql);

}  // namespace shopstream::refine
