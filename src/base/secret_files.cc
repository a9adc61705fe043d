#include "base/secret_files.h"

#include <sys/prctl.h>

#include <algorithm>

#include "base/config_settings.h"
#include "base/read_file.h"
#include "base/secrets.h"

namespace shopstream {

std::string OtherSourceOfSecret(const std::string& key) {
  const bool names_file = key.ends_with(kSecretFileSuffix);
  const std::string other = names_file ? key.substr(0, key.size() - kSecretFileSuffix.size())
                                       : key + std::string(kSecretFileSuffix);
  if (key.starts_with("kafka.security.")) {
    return IsSecretName(names_file ? other : key) ? other : "";
  }
  return FindSetting(key) != nullptr && FindSetting(other) != nullptr ? other : "";
}

bool IsSecretFileKey(const std::string& key) {
  return key.ends_with(kSecretFileSuffix) && !OtherSourceOfSecret(key).empty();
}

Result<std::string> ReadSecretFile(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadFile(path));
  text.erase(text.find_last_not_of("\r\n") + 1);
  if (text.empty()) return Status::Invalid(path, " is empty: write the secret into it");
  if (text.find('\0') != std::string::npos) {
    return Status::Invalid(path, " is no text file: it contains a zero byte");
  }
  return text;
}

bool HoldsSecrets(const Config& config) {
  const auto given = [](const std::string& text) { return !text.empty(); };
  const auto& kafka = config.kafka.security;
  // The keys of a lake on s3 may come from the user's files or from the machine's role.
  if (kafka.contains("ssl.key.location") || kafka.contains("ssl.keystore.location") ||
      config.lake.uri.starts_with("s3://")) {
    return true;
  }
  return std::ranges::any_of(SecretsIn(config), given) || given(config.registry.users) ||
         given(config.registry.tls_key) || given(config.console.users) ||
         given(config.console.tls_key) || given(config.console.token_file);
}

void HideMemory() { prctl(PR_SET_DUMPABLE, 0); }

}  // namespace shopstream
