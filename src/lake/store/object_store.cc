#include "lake/store/object_store.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/format.h"
#include "lake/store/disk_store.h"
#include "lake/store/metered_store.h"
#include "lake/store/s3_store.h"

namespace shopstream::lake {
namespace {

constexpr std::string_view kFileScheme = "file://";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The path of a file URI: "%20" stands for a space.
Result<std::string> DecodedPath(std::string_view path, const std::string& uri) {
  std::string decoded;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    const bool whole = i + 2 < path.size();
    const int high = whole ? HexDigit(path[i + 1]) : -1;
    const int low = whole ? HexDigit(path[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) {
      return Status::Invalid("lake.uri '", uri, "': '", path.substr(i, 3),
                             "' is not a valid escape in a path: write % as %25");
    }
    decoded += static_cast<char>(16 * high + low);
    i += 2;
  }
  return decoded;
}

// Whether a folder of tables exists. If it cannot be read, opening it reports that.
bool HoldsTables(const std::filesystem::path& root) {
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(root, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (std::filesystem::is_directory(it->path() / "_delta_log", ignored)) return true;
  }
  return false;
}

// Earlier versions used the path of a file URI literally: such a lake must not be replaced by an
// empty one.
Status CheckNoLiteralLake(const std::string& written, const std::string& decoded,
                          const std::string& uri) {
  if (written == decoded || !HoldsTables(written) || HoldsTables(decoded)) return Status::OK();
  return Status::Invalid("lake.uri '", uri, "' is the folder '", decoded,
                         "', which has no tables, but an earlier version wrote to '", written,
                         "': rename that folder to '", decoded, "', or set lake.uri to '", written,
                         "', without file://");
}

Result<std::unique_ptr<ObjectStore>> OpenFileUri(const std::string& uri) {
  static constexpr std::string_view kLocalHost = "localhost";
  std::string path = uri.substr(kFileScheme.size());
  // The two ways to name this machine (RFC 8089).
  const std::string host = ToLower(path.substr(0, path.find('/')));
  if (host == kLocalHost) path.erase(0, host.size());
  if (!path.starts_with('/')) {
    return Status::Invalid("lake.uri '", uri, "' names the host '", path.substr(0, path.find('/')),
                           "': write file:///absolute/path");
  }
  ARROW_ASSIGN_OR_RAISE(const std::string decoded, DecodedPath(path, uri));
  ARROW_RETURN_NOT_OK(CheckNoLiteralLake(path, decoded, uri));
  return DiskStore::Open(decoded, uri);
}

Result<std::unique_ptr<ObjectStore>> OpenUnmetered(const Config& config) {
  const std::string& uri = config.lake.uri;
  if (uri.empty()) return Status::Invalid("lake.uri is empty: set it to a folder");
  if (uri.starts_with(kFileScheme)) return OpenFileUri(uri);
  if (uri.starts_with("s3://")) return S3Store::Open(uri, config.s3);
  if (const size_t colon = uri.find("://"); colon != std::string::npos) {
    return Status::NotImplemented(
        "lake.uri '", uri, "': '", uri.substr(0, colon),
        "' storage is not supported; use a path, file:///path or s3://bucket/prefix");
  }
  // A scheme with a slash missing would become a folder of that name.
  for (const std::string_view scheme : {"s3:", "file:"}) {
    if (!uri.starts_with(scheme)) continue;
    return Status::Invalid("lake.uri '", uri, "': write ", scheme,
                           scheme == "s3:" ? "//bucket/prefix" : "///absolute/path");
  }
  if (uri == "~" || uri.starts_with("~/")) {
    return Status::Invalid("lake.uri '", uri,
                           "': only a shell expands '~'; write the folder's path, ",
                           "or let the shell do it: --set lake.uri=\"$HOME", uri.substr(1), "\"");
  }
  return DiskStore::Open(uri, uri);
}

}  // namespace

std::vector<std::string> FoldersBelow(const std::string& prefix,
                                      const std::vector<ObjectEntry>& objects) {
  std::vector<std::string> names;
  for (const ObjectEntry& object : objects) {
    const size_t slash = object.path.find('/', prefix.size());
    if (slash == std::string::npos) continue;
    std::string name = object.path.substr(prefix.size(), slash - prefix.size());
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

Result<std::unique_ptr<ObjectStore>> OpenObjectStore(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(auto store, OpenUnmetered(config));
  return Metered(std::move(store));
}

void ShutdownObjectStores() { S3Store::Shutdown(); }

}  // namespace shopstream::lake
