#include "console/api.h"

#include "base/json.h"

namespace shopstream::console {

Status CheckConfirmed(const ApiRequest& request, std::string_view name) {
  const auto confirm = request.body.find("confirm");
  if (confirm != request.body.end() && *confirm == name) return Status::OK();
  return Status::Invalid("to confirm, send the name ", name, " as \"confirm\"");
}

}  // namespace shopstream::console
