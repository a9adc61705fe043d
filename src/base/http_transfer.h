#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream {

// Why a request got no complete answer.
enum class HttpFailure {
  kNone,
  kHostUnknown,
  kNotConnected,    // Refused or unreachable.
  kConnectTimeout,  // No connection in time.
  kTls,             // No TLS session; often the server speaks plain HTTP.
  kNotHttp,         // An answer, but not of HTTP; often the server expects TLS.
  kNotTrusted,      // Its certificate.
  kBadCaFile,
  kTimeout,
  kCutOff,
  kTooLarge,
  kInterrupted,  // The program is stopping: ShutdownOverdue.
  kOther,
};

struct HttpTransferRequest {
  std::string method, url;                 // Any method but HEAD.
  std::vector<std::string> headers{};      // "Name: value"
  std::optional<std::string_view> body{};  // Borrowed.
  std::string username{}, password{};      // Empty: none.
  std::string signature_scope{};      // libcurl's CURLOPT_AWS_SIGV4; empty: basic authentication.
  std::string ca_file{};              // PEM; empty: the system's.
  bool proxy_of_environment = false;  // http_proxy and the like.
  Millis connect_timeout{5000};
  Millis timeout{5000};                // The whole exchange.
  int64_t min_bytes_per_second = 0;    // Aborted if slower for 10 s; 0: not checked.
  int64_t max_reply_bytes = 64 << 20;  // A larger answer is a failure.
  std::function<void(std::string_view line)> on_header{};
};

struct HttpTransferReply {
  int status = 0;  // 0: no complete answer, and then:
  HttpFailure failure = HttpFailure::kNone;
  std::string problem;  // In the library's words, or the system's.
  bool sent = false;    // The server may have received the request.
  std::string body;
};

// Sends one HTTP/1.1 request at a time and keeps the connection for the next one. The only user of
// libcurl. Not thread-safe.
class HttpTransfer {
 public:
  // IOError: the library cannot be started.
  static Result<HttpTransfer> Open();
  HttpTransfer(HttpTransfer&&) noexcept;
  HttpTransfer& operator=(HttpTransfer&&) noexcept;
  ~HttpTransfer();

  HttpTransferReply Send(const HttpTransferRequest& request);

 private:
  struct Handle;
  explicit HttpTransfer(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// Seconds since 1970 of an HTTP date; -1 if invalid.
int64_t ParseHttpDate(const std::string& text);

// The CA file that this machine's libcurl was built with; "" if unknown.
std::string SystemCaFile();

}  // namespace shopstream
