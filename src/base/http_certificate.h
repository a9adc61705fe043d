#pragma once

#include <memory>
#include <optional>
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
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  // Invalid: a file cannot be read, or the two do not belong together.
  Status Open();
  // For the next connection: TLS 1.2 and later. The files are read again if they have changed. They
  // are replaced one after the other, so until they belong together the previous ones serve.
  Context Current();

 private:
  using BothStamps = std::pair<FileStamp, FileStamp>;

  BothStamps Stamps() const { return {FileStamp::Of(certificate_), FileStamp::Of(key_)}; }
  Result<Context> Read() const;

  const std::string certificate_, key_;
  Context current_;
  BothStamps stamps_;                 // Of the files that were read last.
  std::optional<BothStamps> warned_;  // Of files that cannot be used.
};

}  // namespace shopstream
