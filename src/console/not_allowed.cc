#include "console/not_allowed.h"

#include <string>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"

namespace shopstream::console {

// Messages end in ": what to do".
nlohmann::ordered_json NotAllowed(const Status& refused) {
  const std::string& message = refused.message();
  const size_t colon = message.rfind(": ");
  const bool has_remedy = colon != std::string::npos;
  return {{"state", "not_allowed"},
          {"reason", has_remedy ? message.substr(0, colon) : message},
          {"remedy", has_remedy ? message.substr(colon + 2) : ""}};
}

Result<nlohmann::ordered_json> AsState(Result<nlohmann::ordered_json> answer) {
  if (answer.ok() || KindOf(answer.status()) != ErrorKind::kRefused) return answer;
  return NotAllowed(answer.status());
}

}  // namespace shopstream::console
