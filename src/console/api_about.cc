#include "console/api_about.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/config_settings.h"
#include "base/json.h"
#include "base/version.h"
#include "console/assets.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostChanges = 500;
constexpr char kSecret[] = "(not shown)";
// Parts of the names of settings whose values are secret.
constexpr std::string_view kSecretNames[] = {"password", "secret_key", "session_token",
                                             "access_key"};

bool IsSecret(std::string_view key) {
  return std::ranges::any_of(kSecretNames, [&](std::string_view name) {
    return key.find(name) != std::string_view::npos;
  });
}

// "http://user:password@host" without the user and the password.
std::string WithoutLogin(const std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const size_t begin = scheme + 3;
  const size_t at = text.substr(begin, text.find('/', begin) - begin).rfind('@');
  return at == std::string::npos ? text : text.substr(0, begin) + text.substr(begin + at + 1);
}

ordered_json AboutJson(const World& world, Gate& gate, const ApiRequest& request) {
  const Caller caller = gate.Identify(request.http);
  return {{"version", kVersion},
          {"allow_changes", gate.allow_changes()},
          {"needs_login", gate.needs_login()},
          {"signed_in_as", caller.who.empty() ? ordered_json() : ordered_json(caller.who)},
          {"may_change", caller.may_change},
          {"masked", world.config.console.mask},
          {"settings", ShownSettings(world.config)},
          {"licences", ParseOrderedJson(EmbeddedText("vendor/licences.json"))}};
}

}  // namespace

ordered_json ShownSettings(const Config& config) {
  Config copy = config;
  ordered_json settings = ordered_json::object();
  for (const Setting& setting : AllSettings()) {
    const std::string text = SettingText(setting, copy);
    settings[setting.key] = IsSecret(setting.key) && !text.empty() ? kSecret : WithoutLogin(text);
  }
  for (const auto& [name, value] : config.kafka.security) {
    settings["kafka.security." + name] = kSecret;
  }
  return settings;
}

std::vector<ApiRoute> AboutRoutes(const World& world, Gate& gate, const ChangeLog& changes) {
  return {
      {"GET", "/api/about", "Version, settings without secrets, who is signed in, licences",
       Read([&world, &gate](const ApiRequest& request) -> Result<ordered_json> {
         return AboutJson(world, gate, request);
       })},
      {"GET", "/api/changes", "What was changed in the console, newest first",
       Read([&gate, &changes](const ApiRequest&) -> Result<ordered_json> {
         return ordered_json{{"allow_changes", gate.allow_changes()},
                             {"changes", changes.Newest(kMostChanges)}};
       })},
  };
}

}  // namespace shopstream::console
