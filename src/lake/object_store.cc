#include "lake/object_store.h"

#include "lake/disk_store.h"
#include "lake/s3_store.h"

namespace shopstream::lake {

Result<std::unique_ptr<ObjectStore>> OpenObjectStore(const Config& config) {
  const std::string& uri = config.lake.uri;
  static constexpr std::string_view kFileScheme = "file://";
  if (uri.empty()) return Status::Invalid("lake.uri is empty: set it to a folder");
  if (uri.starts_with(kFileScheme)) {
    const std::string path = uri.substr(kFileScheme.size());
    if (!path.starts_with('/')) {
      return Status::Invalid("lake.uri '", uri, "' names a host: write file:///absolute/path");
    }
    return DiskStore::Open(path, uri);
  }
  if (uri.starts_with("s3://")) return S3Store::Open(uri, config.s3);
  if (const size_t colon = uri.find("://"); colon != std::string::npos) {
    return Status::NotImplemented(
        "lake.uri '", uri, "': '", uri.substr(0, colon),
        "' storage is not supported; use a path, file:///path or s3://bucket/prefix");
  }
  return DiskStore::Open(uri, uri);
}

void ShutdownObjectStores() { S3Store::Shutdown(); }

}  // namespace shopstream::lake
