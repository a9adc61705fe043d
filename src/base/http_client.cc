#include "base/http_client.h"

#include <httplib.h>
#include <signal.h>

#include <regex>
#include <utility>

#include "base/error_kind.h"

namespace shopstream {
namespace {

constexpr size_t kMaxReplyBytes = 64 << 20;  // No service we talk to answers with more.

struct Url {
  std::string origin;  // scheme://host:port
  std::string user, password;
  std::string prefix;  // "/apis/ccompat/v7", without a slash at its end
};

// [scheme://][user:password@]host[:port][/prefix]
Result<Url> ParseUrl(const std::string& text) {
  static const std::regex pattern(
      R"((https?)://(?:([^:@/]*)(?::([^@/]*))?@)?((?:\[[0-9a-fA-F:]+\]|[^:/?#@\[\]\s]+)(?::[0-9]{1,5})?)(/[^?#\s]*)?)");
  std::smatch parts;
  if (text.size() > 2048 || !std::regex_match(text, parts, pattern)) {
    return Status::Invalid("'", text,
                           "' is not a URL: write http://host:port or https://host:port");
  }
  Url url{parts[1].str() + "://" + parts[4].str(), parts[2].str(), parts[3].str(), parts[5].str()};
  while (!url.prefix.empty() && url.prefix.back() == '/') url.prefix.pop_back();
  return url;
}

std::string Describe(httplib::Error error, Millis timeout) {
  const std::string bound = " within " + std::to_string(timeout.count()) + " ms";
  switch (error) {
    case httplib::Error::Connection:
      return "could not connect: is it running, and is the address right?";
    case httplib::Error::ConnectionTimeout:
      return "no connection" + bound;
    case httplib::Error::Read:
      return "no complete answer" + bound + ", or the connection was cut";
    case httplib::Error::Write:
      return "the connection was cut while sending";
    case httplib::Error::SSLConnection:
      return "could not set up TLS: does the server use https?";
    case httplib::Error::SSLLoadingCerts:
      return "the certificates cannot be read: is the CA file a PEM file?";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted: name the CA that signed it";
    case httplib::Error::Canceled:
      return "the answer was cut off: not complete" + bound + ", or larger than 64 MiB";
    default:
      return httplib::to_string(error);
  }
}

}  // namespace

struct HttpClient::Impl {
  Impl(Url parsed, Millis bound, const HttpAccess& access)
      : url(std::move(parsed)), timeout(bound), client(url.origin) {
    client.set_connection_timeout(timeout);
    client.set_read_timeout(timeout);
    client.set_write_timeout(timeout);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_url_encode(false);  // Callers pass encoded paths.
    if (!url.user.empty()) {
      client.set_basic_auth(url.user, url.password);
    } else if (!access.username.empty()) {
      client.set_basic_auth(access.username, access.password);
    }
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    if (!access.ca_file.empty()) client.set_ca_cert_path(access.ca_file.c_str());
#endif
  }

  Result<HttpResponse> Send(const std::string& method, const std::string& path,
                            const std::string& body, const std::string& content_type) {
    httplib::Request request;
    request.method = method;
    request.path = url.prefix + path;
    request.body = body;
    if (!content_type.empty()) request.set_header("Content-Type", content_type);
    HttpResponse response;
    // The library's own read timeout restarts with every packet; this bounds the whole answer.
    const BootClock::time_point deadline = BootClock::now() + timeout;
    request.content_receiver = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
      if (response.body.size() + size > kMaxReplyBytes || BootClock::now() > deadline) return false;
      response.body.append(bytes, size);
      return true;
    };
    const httplib::Result answer = client.send(request);
    if (!answer) {
      return Unavailable(method, " ", url.origin, request.path, ": ",
                         Describe(answer.error(), timeout));
    }
    response.status = answer->status;
    return response;
  }

  Url url;
  Millis timeout;
  httplib::Client client;
};

Result<HttpClient> HttpClient::Open(const std::string& base_url, Millis timeout,
                                    const HttpAccess& access) {
  ARROW_ASSIGN_OR_RAISE(Url url, ParseUrl(base_url));
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
  if (url.origin.starts_with("https:")) {
    return Status::Invalid(url.origin,
                           ": this build has no TLS; use http:// or build with OpenSSL");
  }
#endif
  // The library writes without MSG_NOSIGNAL: a peer that closes would kill the process.
  static const bool ignores_broken_pipes = signal(SIGPIPE, SIG_IGN) != SIG_ERR;
  if (!ignores_broken_pipes) return Unavailable("cannot ignore SIGPIPE");
  return HttpClient(std::make_unique<Impl>(std::move(url), timeout, access));
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::Get(const std::string& path) {
  return impl_->Send("GET", path, "", "");
}

Result<HttpResponse> HttpClient::Post(const std::string& path, const std::string& body,
                                      const std::string& content_type) {
  return impl_->Send("POST", path, body, content_type);
}

Result<HttpResponse> HttpClient::Put(const std::string& path, const std::string& body,
                                     const std::string& content_type) {
  return impl_->Send("PUT", path, body, content_type);
}

Result<HttpResponse> HttpClient::Delete(const std::string& path) {
  return impl_->Send("DELETE", path, "", "");
}

}  // namespace shopstream
