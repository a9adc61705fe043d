#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

#include "base/status.h"

namespace shopstream {

// Logs go to stderr, one line each: time, level, message. Results go to stdout, so that `shopstream
// ... --json | jq` works. `level`: trace, debug, info, warn, error, off.
Status StartLogging(std::string_view level);

// Use: Log::Info("opened {} at version {}", path, version);
namespace Log {
template <typename... Args>
void Debug(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::debug(format, std::forward<Args>(args)...);
}
template <typename... Args>
void Info(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::info(format, std::forward<Args>(args)...);
}
template <typename... Args>
void Warn(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::warn(format, std::forward<Args>(args)...);
}
template <typename... Args>
void Error(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::error(format, std::forward<Args>(args)...);
}
}  // namespace Log

}  // namespace shopstream
