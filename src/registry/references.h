#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::registry {

// The schema with every type that it only names taken in from `definitions`, where it is first
// named: a schema that needs no others. `definitions` are the texts of Avro schemas whose named
// types, also those within them, may be named. Without any it is `schema` itself.
// Invalid where a text is no JSON or the types nest too deep.
Result<std::string> SelfContained(const std::string& schema,
                                  const std::vector<std::string>& definitions);

}  // namespace shopstream::registry
