#include "base/http_client.h"

#include <regex>
#include <utility>

#include "base/error_kind.h"
#include "base/http_transfer.h"
#include "base/secrets.h"

namespace shopstream {
namespace {

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
    return Status::Invalid("'", WithoutCredentials(text),
                           "' is not a URL: write http://host:port or https://host:port");
  }
  Url url{parts[1].str() + "://" + parts[4].str(), parts[2].str(), parts[3].str(), parts[5].str()};
  while (!url.prefix.empty() && url.prefix.back() == '/') url.prefix.pop_back();
  return url;
}

std::string Describe(const HttpTransferReply& reply, Millis timeout, const std::string& setting) {
  const std::string bound = " within " + std::to_string(timeout.count()) + " ms";
  const std::string address = setting.empty() ? "the address" : setting;
  switch (reply.failure) {
    case HttpFailure::kHostUnknown:
      return "the host name is not known: correct " + address + ", or the network's name service";
    case HttpFailure::kNotConnected:
      return reply.problem + ": start the server, or correct " + address;
    case HttpFailure::kConnectTimeout:
      return "no connection" + bound + ": check the network, and " + address;
    case HttpFailure::kTimeout:
      return "no complete answer" + bound + ": the server is overloaded or hangs; see its log";
    case HttpFailure::kCutOff:
      return reply.body.empty() && reply.status == 0
                 ? "the connection was closed without an HTTP answer: correct " + address +
                       ", or see the server's log"
                 : "the connection was cut before a complete answer";
    case HttpFailure::kTls:
      return "could not set up TLS: if the server speaks plain HTTP, write http:// in " + address;
    case HttpFailure::kNotHttp:
      return "its answer is not HTTP: correct " + address + " (https:// if it expects TLS)";
    case HttpFailure::kBadCaFile:
      return "the certificates cannot be read: is the CA file a PEM file?";
    case HttpFailure::kNotTrusted:
      return "its certificate is not trusted: name the CA that signed it";
    case HttpFailure::kTooLarge:
      return "the answer is larger than 64 MiB";
    default:
      return reply.problem;
  }
}

}  // namespace

struct HttpClient::Impl {
  Result<HttpResponse> Send(const std::string& method, const std::string& path,
                            const std::string& body, const std::string& content_type) {
    request.method = method;
    request.url = url.origin + url.prefix + path;
    request.headers = {"Expect:"};  // No pause before a large body.
    request.body.reset();
    if (!content_type.empty()) {
      request.headers.push_back("Content-Type: " + content_type);
      request.body = body;
    }
    HttpTransferReply reply = transfer.Send(request);
    request.body.reset();
    if (reply.failure != HttpFailure::kNone) {
      return Unavailable(method, " ", request.url, ": ", Describe(reply, request.timeout, setting));
    }
    return HttpResponse{reply.status, std::move(reply.body)};
  }

  Url url;
  HttpTransfer transfer;
  HttpTransferRequest request;  // What all requests have in common, and the last one.
  std::string setting;
};

Result<HttpClient> HttpClient::Open(const std::string& base_url, Millis timeout,
                                    const HttpAccess& access) {
  ARROW_ASSIGN_OR_RAISE(Url url, ParseUrl(base_url));
  ARROW_ASSIGN_OR_RAISE(HttpTransfer transfer, HttpTransfer::Open());
  HttpTransferRequest common;
  common.connect_timeout = common.timeout = timeout;
  common.username = url.user.empty() ? access.username : url.user;
  common.password = url.user.empty() ? access.password : url.password;
  common.ca_file = access.ca_file;
  return HttpClient(std::make_unique<Impl>(
      Impl{std::move(url), std::move(transfer), std::move(common), access.setting}));
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
