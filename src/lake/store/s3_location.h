#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/status.h"

namespace shopstream::lake {

// A location in S3. `key` is the plain name, not escaped.
struct S3Place {
  std::string bucket;
  std::string key;

  bool operator==(const S3Place&) const = default;
};

// lake.uri: s3://bucket/prefix; with a bare s3:// the first part of each path is a bucket.
class S3Root {
 public:
  static Result<S3Root> Parse(const std::string& uri);

  bool bucket_per_table() const { return bucket_.empty(); }
  const std::string& bucket() const { return bucket_; }  // Empty: one per table.

  // The location of the object `path`. Invalid: the path is not valid for a store.
  Result<S3Place> Locate(const std::string& path) const;
  // The same for a prefix of paths, which may end anywhere; the bucket is empty until a bare root's
  // first part is complete.
  S3Place LocatePrefix(const std::string& prefix) const;
  // The path of an object below the root.
  std::string PathOf(const S3Place& place) const;
  bool Contains(const S3Place& place) const;

 private:
  std::string bucket_;
  std::string prefix_;  // "" or ends in '/'.
};

// A host with the S3 API, and where it expects the bucket.
struct S3Address {
  std::string scheme;     // http or https
  std::string authority;  // host or host:port; for AWS without the bucket
  bool path_style = false;

  // AWS's own if s3.endpoint is empty.
  static Result<S3Address> Of(const S3Config& config);
};

using S3Query = std::vector<std::pair<std::string, std::string>>;  // Not escaped, in any order.

// As signatures require: all but letters, digits and -._~ is %XX; in a key, '/' is kept too.
std::string EscapeForS3(std::string_view text, bool keep_slashes);
// Decodes "%2F" and '+', with which listings escape keys.
std::string UnescapeFromS3(std::string_view text);

// The query is sorted and every name has its '=', as the signature requires. An empty bucket means
// the service.
std::string S3Url(const S3Address& address, const S3Place& place, const S3Query& query);

}  // namespace shopstream::lake
