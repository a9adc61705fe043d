#pragma once

#include <string>

namespace shopstream::refine {

// The first function of the text whose value depends on time or chance, such as "now"; "": there is
// none. It must not decide anything: a pass that is finished by another process, and the batch SQL,
// would decide otherwise.
std::string VolatileFunctionIn(const std::string& sql);

}  // namespace shopstream::refine
