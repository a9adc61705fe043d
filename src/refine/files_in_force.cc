#include "refine/files_in_force.h"

#include <filesystem>
#include <system_error>

namespace shopstream::refine {

std::string StampOfFile(const std::string& path) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(path, error);
  if (error) return path + " is absent;";
  const auto size = std::filesystem::file_size(path, error);
  return path + " " + std::to_string(time.time_since_epoch().count()) + " " +
         (error ? "?" : std::to_string(size)) + ";";
}

}  // namespace shopstream::refine
