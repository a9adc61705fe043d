#include "lake/store/s3_location.h"

#include <algorithm>

#include "base/format.h"
#include "base/secrets.h"

namespace shopstream::lake {
namespace {

constexpr std::string_view kScheme = "s3://";

// What AWS and MinIO allow: 3 to 63 of a-z, 0-9, '-' and '.'.
Status CheckBucket(std::string_view bucket) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool good = bucket.size() >= 3 && bucket.size() <= 63 && plain(bucket.front()) &&
                    plain(bucket.back()) && std::all_of(bucket.begin(), bucket.end(), [&](char c) {
                      return plain(c) || c == '-' || c == '.';
                    });
  if (good) return Status::OK();
  return Status::Invalid(
      "'", Printable(bucket),
      "' cannot be a bucket's name: 3 to 63 lower-case letters, digits, '-' and '.'");
}

// No part is empty, "." or "..": services and clients treat those differently.
Status CheckParts(std::string_view path) {
  bool good = !path.empty() && path.find('\0') == std::string_view::npos;
  for (size_t begin = 0; good && begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    good = !part.empty() && part != "." && part != "..";
    begin = end + 1;
  }
  if (good) return Status::OK();
  return Status::Invalid("'", Printable(path), "' is not a path inside the lake");
}

S3Place SplitAtBucket(const std::string& path) {
  const size_t slash = path.find('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// A TLS certificate for *.s3... covers only one label, so a bucket with a dot goes into the path.
bool InPath(const S3Address& address, const std::string& bucket) {
  return address.path_style || bucket.find('.') != std::string::npos;
}

}  // namespace

Result<S3Root> S3Root::Parse(const std::string& uri) {
  if (!uri.starts_with(kScheme)) return Status::Invalid("'", uri, "' does not begin with s3://");
  std::string rest = uri.substr(kScheme.size());
  while (!rest.empty() && rest.back() == '/') rest.pop_back();
  S3Root root;
  if (rest.empty()) return root;
  root.bucket_ = rest.substr(0, rest.find('/'));
  Status status = CheckBucket(root.bucket_);
  if (status.ok() && rest.size() > root.bucket_.size()) {
    root.prefix_ = rest.substr(root.bucket_.size() + 1);
    status = CheckParts(root.prefix_);
    root.prefix_ += '/';
  }
  if (status.ok()) return root;
  return Status::Invalid(
      "lake.uri '", WithoutCredentials(uri), "': ", status.message(),
      "; write s3://bucket, s3://bucket/prefix, or s3:// for one bucket per table");
}

Result<S3Place> S3Root::Locate(const std::string& path) const {
  ARROW_RETURN_NOT_OK(CheckParts(path));
  if (!bucket_per_table()) return S3Place{bucket_, prefix_ + path};
  S3Place place = SplitAtBucket(path);
  if (place.bucket.empty()) {
    return Status::Invalid("'", path,
                           "' is in no bucket: with lake.uri s3://, the first part of "
                           "a path is its bucket");
  }
  ARROW_RETURN_NOT_OK(CheckBucket(place.bucket));
  return place;
}

S3Place S3Root::LocatePrefix(const std::string& prefix) const {
  return bucket_per_table() ? SplitAtBucket(prefix) : S3Place{bucket_, prefix_ + prefix};
}

std::string S3Root::PathOf(const S3Place& place) const {
  return bucket_per_table() ? place.bucket + "/" + place.key : place.key.substr(prefix_.size());
}

bool S3Root::Contains(const S3Place& place) const {
  return bucket_per_table() || (place.bucket == bucket_ && place.key.starts_with(prefix_));
}

Result<S3Address> S3Address::Of(const S3Config& config) {
  if (config.endpoint.empty()) {
    const std::string suffix = config.region.starts_with("cn-") ? ".cn" : "";
    return S3Address{"https", "s3." + config.region + ".amazonaws.com" + suffix, false};
  }
  const size_t colon = config.endpoint.find("://");
  if (colon == std::string::npos) {
    return Status::Invalid("s3.endpoint '", WithoutCredentials(config.endpoint),
                           "': write http://host:port");
  }
  S3Address address{config.endpoint.substr(0, colon), config.endpoint.substr(colon + 3), true};
  while (!address.authority.empty() && address.authority.back() == '/') {
    address.authority.pop_back();
  }
  const bool known = address.scheme == "http" || address.scheme == "https";
  if (known && !address.authority.empty() &&
      address.authority.find_first_of("/?#@ ") == std::string::npos) {
    return address;
  }
  return Status::Invalid("s3.endpoint '", WithoutCredentials(config.endpoint),
                         "': write http://host:port or https://host:port, and nothing after it");
}

std::string EscapeForS3(std::string_view text, bool keep_slashes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slashes && c == '/');
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string UnescapeFromS3(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string S3Url(const S3Address& address, const S3Place& place, const S3Query& query) {
  std::string url = address.scheme + "://";
  if (place.bucket.empty()) {
    url += address.authority + "/";
  } else if (InPath(address, place.bucket)) {
    url += address.authority + "/" + place.bucket + (place.key.empty() ? "" : "/");
  } else {
    url += place.bucket + "." + address.authority + "/";
  }
  url += EscapeForS3(place.key, true);
  std::vector<std::string> items;
  for (const auto& [name, value] : query) {
    items.push_back(EscapeForS3(name, false) + "=" + EscapeForS3(value, false));
  }
  std::sort(items.begin(), items.end());
  for (size_t i = 0; i < items.size(); ++i) url += (i == 0 ? "?" : "&") + items[i];
  return url;
}

}  // namespace shopstream::lake
