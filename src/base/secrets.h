#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"

namespace shopstream {

// What is shown instead of a secret.
inline constexpr std::string_view kHiddenSecret = "(hidden)";

// True for names of properties and environment variables whose value is secret:
// "sasl.password", "AWS_SECRET_ACCESS_KEY". Not for those of files: "sasl.password_file".
bool IsSecretName(std::string_view name);

// "http://user:password@host/x" -> "http://(hidden)@host/x". For text that should be a URL, in
// messages: it may have no scheme, and several '@'.
std::string WithoutCredentials(std::string_view url);

// Every secret value among what the user gave, and in the URLs there. For Log::Hide.
std::vector<std::string> SecretsIn(const ConfigSources& sources);
std::vector<std::string> SecretsIn(Config config);

}  // namespace shopstream
