#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::registry {

// Limits on the schemas that one schema may refer to, directly or indirectly.
inline constexpr int kMaxReferenceDepth = 32;
inline constexpr size_t kMaxReferences = 200;

// The schema with the first mention of every undefined type replaced by its definition from
// `definitions`: a self-contained schema. `definitions` are the texts of Avro schemas whose named
// types, including nested ones, may be used. Without any it is `schema` itself. Invalid: a text is
// not JSON, or the types nest too deeply.
Result<std::string> SelfContained(const std::string& schema,
                                  const std::vector<std::string>& definitions);

}  // namespace shopstream::registry
