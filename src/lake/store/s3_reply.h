#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::lake {

// S3's answers in XML. IOError: the answer is of another kind, or incomplete.

// One page of ListObjectsV2 (requested with encoding-type=url).
struct S3Listing {
  struct Object {
    std::string key;
    int64_t size_bytes = 0;
    int64_t modified_ms = 0;
  };
  std::vector<Object> objects;
  std::vector<std::string> folders;  // Common prefixes, each with a trailing '/'.
  std::string next;                  // The continuation token; empty: the last page.
};
Result<S3Listing> ParseS3Listing(const std::string& xml);

Result<std::vector<std::string>> ParseS3Buckets(const std::string& xml);

// One page of ListMultipartUploads (requested with encoding-type=url).
struct S3Uploads {
  struct Upload {
    std::string key;
    std::string id;
    int64_t begun_ms = 0;
  };
  std::vector<Upload> uploads;
  bool more = false;
  std::string next_key, next_id;  // Start of the next page.
};
Result<S3Uploads> ParseS3Uploads(const std::string& xml);

// All empty if the body is not an S3 error, e.g. a proxy's page.
struct S3Error {
  std::string code;     // e.g. NoSuchBucket
  std::string message;  // S3's own words
  std::string region;   // The bucket's actual region, if given.
};
S3Error ParseS3Error(const std::string& xml);

// "2026-11-24T08:22:02.123Z" to Unix milliseconds.
Result<int64_t> ParseS3Time(const std::string& text);

}  // namespace shopstream::lake
