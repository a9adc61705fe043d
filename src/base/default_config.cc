#include "base/default_config.h"

#include <algorithm>
#include <string_view>
#include <system_error>

#include "base/config_settings.h"

namespace shopstream {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "config/pipeline.yaml";

bool Exists(const fs::path& path) {
  std::error_code ignored;  // Treats an inaccessible file as absent.
  return fs::is_regular_file(path, ignored);
}

bool IsGiven(std::string_view key, const ConfigSources& sources) {
  if (sources.environment.contains(EnvironmentName(key))) return true;
  return std::ranges::any_of(sources.overrides, [&](const std::string& assignment) {
    return assignment.starts_with(std::string(key) + "=");
  });
}

bool IsRelativePath(const std::string& text) {
  return !text.empty() && text.find("://") == std::string::npos && !text.starts_with("file:") &&
         fs::path(text).is_relative();
}

}  // namespace

DefaultConfig FindDefaultConfig(const fs::path& program) {
  DefaultConfig found{.file = kFile, .checkout = {}, .shipped = {}};
  if (program.empty()) return found;
  const fs::path folder = program.parent_path();
  const fs::path checkout = folder.parent_path().parent_path();
  const fs::path installed = folder.parent_path() / "share/shopstream";
  const bool in_checkout = folder.parent_path().filename() == "build" && Exists(checkout / kFile);
  if (in_checkout) found.shipped = checkout;
  if (!in_checkout && Exists(installed / kFile)) found.shipped = installed;
  if (Exists(kFile) || found.shipped.empty()) return found;
  found.file = found.shipped / kFile;
  if (in_checkout) found.checkout = checkout;
  return found;
}

fs::path ProgramPath() {
  std::error_code unknown;
  return fs::read_symlink("/proc/self/exe", unknown);
}

void CountPathsFromCheckout(const fs::path& checkout, const ConfigSources& sources,
                            Config* config) {
  if (checkout.empty()) return;
  const auto count = [&](std::string_view key, std::string* path) {
    if (IsRelativePath(*path) && !IsGiven(key, sources)) *path = checkout / *path;
  };
  count("lake.uri", &config->lake.uri);
  count("registry.ca_file", &config->registry.ca_file);
  count("registry.tls.certificate", &config->registry.tls_certificate);
  count("registry.tls.key", &config->registry.tls_key);
  count("registry.users", &config->registry.users);
  count("console.users", &config->console.users);
  count("console.token_file", &config->console.token_file);
  count("console.change_log", &config->console.change_log);
  count("console.tls.certificate", &config->console.tls_certificate);
  count("console.tls.key", &config->console.tls_key);
  count("s3.ca_file", &config->s3.ca_file);
  count("refine.rules", &config->refine.rules);
  count("refine.rates", &config->refine.rates);
  count("refine.categories", &config->refine.categories);
  count("refine.sql_folder", &config->refine.sql_folder);
  count("refine.state_folder", &config->refine.state_folder);
}

void UseShippedFiles(const fs::path& shipped, Config* config) {
  const RefineConfig usual;
  const auto find = [&](const std::string& name, std::string* path) {
    if (*path == name && !Exists(name) && Exists(shipped / name)) *path = shipped / name;
  };
  find(usual.rules, &config->refine.rules);
  find(usual.rates, &config->refine.rates);
  find(usual.categories, &config->refine.categories);
}

}  // namespace shopstream
