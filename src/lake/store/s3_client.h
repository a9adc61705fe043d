#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/http_transfer.h"
#include "base/status.h"
#include "lake/store/s3_location.h"

namespace shopstream::lake {

struct S3Credentials {
  std::string access_key, secret_key, session_token;
};

struct S3Request {
  std::string method;  // GET, PUT, POST or DELETE
  S3Place place;       // An empty key: the bucket. An empty bucket: the service.
  S3Query query = {};
  bool only_if_absent = false;          // If-None-Match: *
  const arrow::Buffer* body = nullptr;  // Borrowed; null: none.
};

// The outcome of one request.
struct S3Reply {
  int status = 0;         // HTTP status; 0: no complete answer.
  std::string problem;    // Why there is no answer, in words.
  bool hopeless = false;  // No answer is possible, e.g. the certificate is not trusted.
  bool sent = false;      // The service may have received the request.
  std::string body;
  std::string region;    // x-amz-bucket-region, if given.
  int64_t date_ms = -1;  // The service's clock, to the second; -1: not given.
};

// Signs requests (SigV4) and sends each once. Connections are reused. Thread-safe.
class S3Client {
 public:
  // Called for every request, because temporary credentials change.
  using CredentialsSource = std::function<S3Credentials()>;

  static Result<std::unique_ptr<S3Client>> Open(const S3Config& config,
                                                CredentialsSource credentials);
  ~S3Client();

  S3Reply Send(const S3Request& request);

 private:
  S3Client(S3Config config, S3Address address, CredentialsSource credentials);
  Result<HttpTransfer> Borrow();
  void Return(HttpTransfer transfer);

  const S3Config config_;
  const S3Address address_;
  const CredentialsSource credentials_;
  std::mutex mutex_;
  std::vector<HttpTransfer> idle_;  // Each with its open connection.
};

}  // namespace shopstream::lake
