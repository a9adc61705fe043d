#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/status.h"

namespace shopstream::lake {

// A place in S3. `key` is the plain name, not escaped.
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
  const std::string& bucket() const { return bucket_; }  // Empty: one for each table.

  // Where the object `path` lies. Invalid where the path is none that a store takes.
  Result<S3Place> Locate(const std::string& path) const;
  // The same of a beginning of paths, which may end anywhere; the bucket is empty as long as a bare
  // root's first part is not complete.
  S3Place LocatePrefix(const std::string& prefix) const;
  // The path of an object that lies below the root.
  std::string PathOf(const S3Place& place) const;
  bool Contains(const S3Place& place) const;

 private:
  std::string bucket_;
  std::string prefix_;  // "" or ends in '/'.
};

// A host that speaks S3, and how it wants to be told the bucket.
struct S3Address {
  std::string scheme;     // http or https
  std::string authority;  // host or host:port; for AWS without the bucket
  bool path_style = false;

  // AWS's own where s3.endpoint is empty.
  static Result<S3Address> Of(const S3Config& config);
};

using S3Query = std::vector<std::pair<std::string, std::string>>;  // Not escaped, in any order.

// As signatures want it: all but letters, digits and -._~ is %XX; of a key, the '/' stays too.
std::string EscapeForS3(std::string_view text, bool keep_slashes);
// "%2F" and '+' back to what they stand for, as listings escape keys.
std::string UnescapeFromS3(std::string_view text);

// The query is sorted and every name has its '=', as the signature asks. An empty bucket is the
// service itself.
std::string S3Url(const S3Address& address, const S3Place& place, const S3Query& query);

}  // namespace shopstream::lake
