#include "base/http_certificate.h"

#include <boost/asio/ssl/context.hpp>

#include "base/log.h"

namespace shopstream {

namespace tls = boost::asio::ssl;

Result<HttpCertificate::Context> HttpCertificate::Read() const {
  auto context = std::make_shared<tls::context>(tls::context::tls_server);
  context->set_options(tls::context::default_workarounds | tls::context::no_sslv2 |
                       tls::context::no_sslv3 | tls::context::no_tlsv1 | tls::context::no_tlsv1_1);
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate_, error);
  if (error) {
    return Status::Invalid("TLS certificate '", certificate_, "': ", error.message(),
                           ": name a PEM file with the certificate and its chain");
  }
  context->use_private_key_file(key_, tls::context::pem, error);
  if (error) {
    return Status::Invalid("TLS key '", key_, "': ", error.message(),
                           ": name the PEM file with the certificate's private key");
  }
  return context;
}

Status HttpCertificate::Open() { return Read().Value(&current_); }

HttpCertificate::Context HttpCertificate::Current() {
  if (!changes_.Seen()) return current_;
  if (auto read = Read(); read.ok()) {
    changes_.Take();
    current_ = *std::move(read);
    Log::Info("TLS certificate '{}' has changed: new connections use it", certificate_);
  } else if (changes_.IsNewFailure()) {
    Log::Warn("{}; the certificate from before remains", read.status().message());
  }
  return current_;
}

}  // namespace shopstream
