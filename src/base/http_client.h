#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream {

struct HttpResponse {
  int status = 0;
  std::string body;
};

// Credentials and trust for a host. Empty: none.
struct HttpAccess {
  std::string username{}, password{};  // Those in the URL take precedence.
  std::string ca_file{};               // PEM; empty: the system's.
  // The setting that holds the URL, for remedies: "registry.url". Empty: none is named.
  std::string setting{};
};

// One host, one persistent connection; every call has a timeout. Not thread-safe. IOError naming
// the URL: a connection is refused, reset or timed out. Any HTTP status is a value.
class HttpClient {
 public:
  static Result<HttpClient> Open(const std::string& base_url, Millis timeout = Millis{5000},
                                 const HttpAccess& access = {});
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  Result<HttpResponse> Get(const std::string& path);
  Result<HttpResponse> Post(const std::string& path, const std::string& body,
                            const std::string& content_type);
  Result<HttpResponse> Put(const std::string& path, const std::string& body,
                           const std::string& content_type);
  Result<HttpResponse> Delete(const std::string& path);

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream
