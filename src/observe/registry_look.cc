#include "observe/registry_look.h"

#include <utility>

#include "base/error_kind.h"
#include "base/json.h"

namespace shopstream::observe {

Result<RegistrySample> RegistryLook::Look() {
  auto sample = Ask();
  if (!sample.ok()) client_.reset();
  return sample;
}

Result<RegistrySample> RegistryLook::Ask() {
  if (!client_) {
    ARROW_ASSIGN_OR_RAISE(client_, HttpClient::Open(config_.url, timeout_,
                                                    {config_.username, config_.password,
                                                     config_.ca_file, "registry.url"}));
  }
  ARROW_ASSIGN_OR_RAISE(const HttpResponse reply, client_->Get("/subjects"));
  if (reply.status == 401 || reply.status == 403) {
    return Refused("GET /subjects: status ", reply.status,
                   ": set registry.username and registry.password");
  }
  const auto subjects = ParseJson(reply.body);
  if (reply.status != 200 || !subjects.is_array()) {
    return Unavailable("GET /subjects: status ", reply.status,
                       ": is registry.url the URL of a schema registry?");
  }
  RegistrySample sample{.subjects = static_cast<int64_t>(subjects.size()), .degraded = ""};
  // Registries of other vendors have no such path.
  ARROW_ASSIGN_OR_RAISE(const HttpResponse health, client_->Get("/health"));
  const auto told = ParseJson(health.body);
  if (told.is_object() && told.value("status", "") == "degraded") {
    sample.degraded = told.value("reason", "degraded");
  }
  return sample;
}

}  // namespace shopstream::observe
