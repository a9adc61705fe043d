#pragma once

#include <arrow/filesystem/s3fs.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/config.h"
#include "lake/store/object_store.h"
#include "lake/store/s3_client.h"
#include "lake/store/s3_location.h"
#include "lake/store/s3_reply.h"

namespace shopstream::lake {

// Objects in AWS S3 or a service with its API. Whole objects, listings and conditional puts go
// through S3Client; reading ranges and writing in pieces through Arrow's file system, which is
// unsuitable for the former: it has no conditional put, lists folders rather than prefixes, and
// leaves an object behind for each folder it empties. Both take their credentials from one
// place.
//
// If a put created the object but its first reply was lost, the retry may return kExists for the
// writer's own content.
//
// The first write creates a bucket that does not exist. Until then the bucket is empty if each
// table has its own; if lake.uri names it, reading from it is an error.
class S3Store : public ObjectStore {
 public:
  // Makes no request. Invalid: the settings cannot work.
  static Result<std::unique_ptr<ObjectStore>> Open(const std::string& uri, const S3Config& config);
  // Call once at the end of a program, after the last store is destroyed; Arrow requires it.
  static void Shutdown();

  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override;
  Status Put(const std::string& path, const arrow::Buffer& content) override;
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) override;
  Result<std::vector<ObjectEntry>> List(const std::string& prefix,
                                        const std::string& after) override;
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override;
  Status Delete(const std::string& path) override;
  Result<int64_t> Now() override;  // Accurate to the second.
  // Unfinished multipart uploads below the root; in a table's own bucket, those of the table.
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) override;
  std::string Describe() const override { return uri_; }
  bool IsRemote() const override { return true; }
  // Enough to hide a round trip; more would only queue at the service.
  int ParallelPuts() const override { return 8; }

 private:
  S3Store(std::string uri, S3Root root, S3Config config, arrow::fs::S3Options options,
          std::unique_ptr<S3Client> client);

  // Repeats the request until it is answered, or until retrying cannot help.
  Result<S3Reply> Call(const std::string& verb, const S3Request& request);
  // The same; creates the bucket if it is missing.
  Result<S3Reply> Write(const std::string& verb, const S3Request& request);
  Status MakeBucket(const std::string& bucket);
  // OK if a missing bucket means no objects; an error if it means a wrong lake.uri.
  Status CheckBucketIsThere(const std::string& verb, const S3Request& request,
                            const S3Reply& reply) const;

  // Every page of a bucket's listing, in turn.
  Status ListBucket(const std::string& bucket, S3Query query,
                    const std::function<void(S3Listing page)>& take);
  Result<std::vector<std::string>> Buckets();
  // Buckets that may hold objects whose path begins with `prefix`.
  Result<std::vector<std::string>> BucketsOf(const S3Place& prefix);
  Result<std::vector<S3Uploads::Upload>> UploadsIn(const std::string& bucket);
  // A bare root does not include all the account's buckets, only those that hold a table.
  Result<bool> HoldsTable(const std::string& bucket);
  Result<std::shared_ptr<arrow::fs::S3FileSystem>> FileSystem();

  const std::string uri_;
  const S3Root root_;
  const S3Config config_;
  const arrow::fs::S3Options options_;
  const std::unique_ptr<S3Client> client_;
  std::mutex mutex_;
  std::shared_ptr<arrow::fs::S3FileSystem> file_system_;  // Guarded by mutex_; created when needed.
};

}  // namespace shopstream::lake
