#include "base/secrets.h"

#include <algorithm>
#include <array>

#include "base/config_settings.h"
#include "base/format.h"

namespace shopstream {
namespace {

constexpr std::array<std::string_view, 7> kSecretParts = {
    "password", "secret", "token", ".pem", "jaas", "oauthbearer.config", "passphrase"};

// The position after "scheme://", or 0.
size_t AuthorityOf(std::string_view url) {
  const size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? 0 : scheme + 3;
}

void Note(std::string_view name, const std::string& value, std::vector<std::string>* secrets) {
  if (IsSecretName(name)) secrets->push_back(value);
  const size_t begin = AuthorityOf(value);
  const size_t at = value.rfind('@');
  const size_t colon = value.find(':', begin);
  if (begin > 0 && at != std::string::npos && colon < at) {
    secrets->push_back(value.substr(colon + 1, at - colon - 1));
  }
}

}  // namespace

bool IsSecretName(std::string_view name) {
  std::string key = ToLower(std::string(name));
  std::ranges::replace(key, '_', '.');
  if (key.ends_with(".file")) return false;  // The path of a file with a secret is none.
  return std::ranges::any_of(kSecretParts,
                             [&](std::string_view part) { return key.find(part) != key.npos; });
}

std::string WithoutCredentials(std::string_view url) {
  const size_t at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const size_t begin = std::min(AuthorityOf(url), at);
  return std::string(url.substr(0, begin)).append(kHiddenSecret).append(url.substr(at));
}

std::vector<std::string> SecretsIn(const ConfigSources& sources) {
  std::vector<std::string> secrets;
  for (const auto& [name, value] : sources.environment) {
    if (name.starts_with("SHOPSTREAM_") || name.starts_with("AWS_")) Note(name, value, &secrets);
  }
  for (const std::string& text : sources.overrides) {
    const size_t equals = text.find('=');
    if (equals != text.npos) Note(text.substr(0, equals), text.substr(equals + 1), &secrets);
  }
  return secrets;
}

std::vector<std::string> SecretsIn(Config config) {
  std::vector<std::string> secrets;
  for (const Setting& setting : AllSettings()) {
    Note(setting.key, SettingText(setting, config), &secrets);
  }
  for (const auto& [key, value] : config.kafka.security) Note(key, value, &secrets);
  return secrets;
}

}  // namespace shopstream
