#include "tables/progress.h"

#include <charconv>
#include <string_view>

namespace shopstream::tables {
namespace {

constexpr std::string_view kApplication = "shopstream/";

}  // namespace

std::string ProgressAppId(const std::string& topic_id, int32_t partition) {
  return std::string(kApplication) + topic_id + "/" + std::to_string(partition);
}

std::optional<ProgressKey> ParseProgressAppId(const std::string& app_id) {
  const size_t slash = app_id.rfind('/');
  if (!app_id.starts_with(kApplication) || slash <= kApplication.size()) return std::nullopt;
  ProgressKey key{app_id.substr(kApplication.size(), slash - kApplication.size()), 0};
  const char* first = app_id.data() + slash + 1;
  const char* last = app_id.data() + app_id.size();
  const auto [end, error] = std::from_chars(first, last, key.partition);
  if (error != std::errc() || end != last || key.partition < 0) return std::nullopt;
  return key;
}

std::string ReplayAppId(const std::string& topic_id) { return "shopstream-replay/" + topic_id; }

std::map<ProgressKey, int64_t> ReadProgress(const std::map<std::string, int64_t>& txns) {
  std::map<ProgressKey, int64_t> progress;
  for (const auto& [app_id, version] : txns) {
    if (const auto key = ParseProgressAppId(app_id)) progress[*key] = version;
  }
  return progress;
}

}  // namespace shopstream::tables
