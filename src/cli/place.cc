#include "cli/place.h"

#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/http_query.h"

namespace shopstream::cli {
namespace {

// A request to a remote store waits most of its time; a disk is busy with a few.
constexpr int kRemoteCopyThreads = 16;
constexpr int kDiskCopyThreads = 4;

// Opening the place reports a URI that is no path.
std::string PathOf(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  if (!uri.starts_with(kScheme)) return uri;
  const size_t slash = uri.find('/', kScheme.size());
  if (slash == std::string::npos) return uri;
  return PercentDecode(uri.substr(slash));
}

}  // namespace

Result<std::unique_ptr<lake::ObjectStore>> OpenPlace(const Context& context,
                                                     const std::string& place,
                                                     const std::string& what) {
  if (place == "s3://") return Status::Invalid("s3:// names no bucket: write s3://bucket/prefix");
  Config config = context.config;
  config.lake.uri = place;
  auto store = lake::OpenObjectStore(config);
  if (store.ok()) return store;
  return store.status().WithMessage(what, ", ", place, ": ", store.status().message());
}

std::string CanonicalPlace(const std::string& uri) {
  std::string whole = uri;
  if (!uri.starts_with("s3://")) {
    std::error_code error;
    const std::string path = PathOf(uri);
    const auto canonical = std::filesystem::weakly_canonical(path, error);
    whole = error ? path : canonical.string();
  }
  while (whole.ends_with('/')) whole.pop_back();
  return whole;
}

Status CheckApart(const std::string& lake, const std::string& place, const std::string& what) {
  const std::string one = CanonicalPlace(lake) + "/";
  const std::string other = CanonicalPlace(place) + "/";
  if (!one.starts_with(other) && !other.starts_with(one)) return Status::OK();
  return Status::Invalid(what, " in ", place, " and the lake in ", lake,
                         " must not be inside each other: name another place, best on another ",
                         "disk or bucket");
}

int CopyThreads(const lake::ObjectStore& one, const lake::ObjectStore& other) {
  return one.IsRemote() || other.IsRemote() ? kRemoteCopyThreads : kDiskCopyThreads;
}

}  // namespace shopstream::cli
