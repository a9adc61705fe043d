#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/file_stamp.h"
#include "base/status.h"

namespace boost::asio::ssl {
class context;
}  // namespace boost::asio::ssl

namespace shopstream {

// A server's certificate and its key, in PEM files that may be replaced while it runs. Not
// thread-safe.
class HttpCertificate {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  HttpCertificate(std::string certificate, std::string key)
      : certificate_(std::move(certificate)),
        key_(std::move(key)),
        changes_({certificate_, key_}) {}

  // Invalid: a file cannot be read, or the two do not belong together.
  Status Open();
  // For the next connection: TLS 1.2 and later. The files are read again if they have changed. They
  // are replaced one after the other, so until they belong together the previous ones serve.
  Context Current();

 private:
  Result<Context> Read() const;

  const std::string certificate_, key_;
  FileChanges changes_;
  Context current_;
};

}  // namespace shopstream
