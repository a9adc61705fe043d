#include "base/http_transfer.h"

#include <curl/curl.h>
#include <signal.h>

#include <system_error>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/shutdown.h"

namespace shopstream {
namespace {

constexpr long kStallSeconds = 10;

struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

HeaderList ToList(const std::vector<std::string>& lines) {
  HeaderList list;
  for (const std::string& line : lines) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  }
  return list;
}

struct Receiver {
  const HttpTransferRequest& request;
  std::string body;
  bool too_large = false;
};

size_t TakeBody(const char* bytes, size_t size, size_t count, void* out) {
  auto* receiver = static_cast<Receiver*>(out);
  if (static_cast<int64_t>(receiver->body.size() + size * count) >
      receiver->request.max_reply_bytes) {
    receiver->too_large = true;
    return 0;
  }
  receiver->body.append(bytes, size * count);
  return size * count;
}

size_t TakeHeader(const char* bytes, size_t size, size_t count, void* out) {
  const auto& on_header = static_cast<Receiver*>(out)->request.on_header;
  if (on_header != nullptr) on_header({bytes, size * count});
  return size * count;
}

// libcurl asks at least once per second whether to continue.
int StopsNow(void* /*unused*/, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return ShutdownOverdue() ? 1 : 0;
}

HttpFailure ToFailure(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_OK:
      return HttpFailure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
      return HttpFailure::kHostUnknown;
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::kNotConnected;
    case CURLE_SSL_CONNECT_ERROR:
      return HttpFailure::kTls;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return HttpFailure::kNotHttp;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return HttpFailure::kNotTrusted;
    case CURLE_SSL_CACERT_BADFILE:
      return HttpFailure::kBadCaFile;
    case CURLE_OPERATION_TIMEDOUT:
      return connected ? HttpFailure::kTimeout : HttpFailure::kConnectTimeout;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return HttpFailure::kCutOff;
    case CURLE_ABORTED_BY_CALLBACK:
      return HttpFailure::kInterrupted;
    default:
      return HttpFailure::kOther;
  }
}

}  // namespace

struct HttpTransfer::Handle {
  Handle() : curl(curl_easy_init()) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl); }

  void SetTransport(const HttpTransferRequest& request) {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, StopsNow);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    if (request.min_bytes_per_second > 0) {
      curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT,
                       static_cast<long>(request.min_bytes_per_second));
      curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    }
    if (!request.proxy_of_environment) curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (!request.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // Trust no other certificates.
    }
    if (!request.username.empty() || !request.signature_scope.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, request.username.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
    }
    if (!request.signature_scope.empty()) {
      curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request.signature_scope.c_str());
    }
  }

  void SetRequest(const HttpTransferRequest& request, curl_slist* headers) {
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);  // A signature covers the path as it is sent.
    if (request.body.has_value()) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body->size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->data());
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  }

  HttpTransferReply Finish(CURLcode code, Receiver* receiver) {
    long status = 0, request_bytes = 0;
    curl_off_t connect_micros = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_micros);
    HttpTransferReply reply;
    reply.sent = request_bytes > 0;
    if (code == CURLE_OK) {
      reply.status = static_cast<int>(status);
      reply.body = std::move(receiver->body);
      return reply;
    }
    // A connection that was kept counts as made, although no time passed.
    reply.failure = receiver->too_large ? HttpFailure::kTooLarge
                                        : ToFailure(code, connect_micros > 0 || reply.sent);
    reply.problem = error[0] != '\0' ? error : curl_easy_strerror(code);
    if (long reason = 0; reply.failure == HttpFailure::kNotConnected &&
                         curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &reason) == CURLE_OK &&
                         reason != 0) {
      reply.problem = ToLower(std::generic_category().message(static_cast<int>(reason)));
    }
    if (reply.failure == HttpFailure::kInterrupted) reply.problem = "the program is stopping";
    return reply;
  }

  CURL* const curl;
  char error[CURL_ERROR_SIZE] = "";
};

HttpTransfer::HttpTransfer(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
HttpTransfer::HttpTransfer(HttpTransfer&&) noexcept = default;
HttpTransfer& HttpTransfer::operator=(HttpTransfer&&) noexcept = default;
HttpTransfer::~HttpTransfer() = default;

Result<HttpTransfer> HttpTransfer::Open() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
                            signal(SIGPIPE, SIG_IGN) != SIG_ERR;  // TLS writes without asking.
  if (!ready) return Unavailable("libcurl cannot be started");
  auto handle = std::make_unique<Handle>();
  if (handle->curl == nullptr) return Status::OutOfMemory("no room for an HTTP connection");
  return HttpTransfer(std::move(handle));
}

HttpTransferReply HttpTransfer::Send(const HttpTransferRequest& request) {
  CURL* const curl = handle_->curl;
  curl_easy_reset(curl);  // Keeps connections.
  handle_->error[0] = '\0';
  const HeaderList headers = ToList(request.headers);
  Receiver receiver{request, {}};
  handle_->SetTransport(request);
  handle_->SetRequest(request, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiver);
  return handle_->Finish(curl_easy_perform(curl), &receiver);
}

int64_t ParseHttpDate(const std::string& text) { return curl_getdate(text.c_str(), nullptr); }

std::string SystemCaFile() {
  const auto* info = curl_version_info(CURLVERSION_NOW);
  return info->age >= CURLVERSION_SEVENTH && info->cainfo != nullptr ? info->cainfo : "";
}

}  // namespace shopstream
