#pragma once

#include <string>
#include <string_view>

#include "base/config.h"
#include "base/status.h"

namespace shopstream {

// Each secret has a setting with its value, and another one for a file with that value:
// registry.password and registry.password_file. So do librdkafka's properties:
// kafka.security.sasl.password_file.
inline constexpr std::string_view kSecretFileSuffix = "_file";

// The name of the other setting of the two; "" for a setting that is no secret.
std::string OtherSourceOfSecret(const std::string& key);
bool IsSecretFileKey(const std::string& key);

// What is in the file, without the line end at its end. IOError and Invalid name the file, and
// never show what is in it.
Result<std::string> ReadSecretFile(const std::string& path);

// Whether a process with this configuration knows something that a core dump must not show: a
// password, a key, a token, users.
bool HoldsSecrets(const Config& config);

// No core dump shows this process's memory, and no other process of the same user reads it or the
// environment.
void HideMemory();

}  // namespace shopstream
