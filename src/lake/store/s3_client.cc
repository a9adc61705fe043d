#include "lake/store/s3_client.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"

namespace shopstream::lake {
namespace {

constexpr long kConnectTimeoutMillis = 3000;
// A transfer is aborted if it moves less than this many bytes per second for this long...
constexpr long kSlowestBytesPerSecond = 1024;
constexpr long kStallSeconds = 10;
// ...or takes longer than this, plus one second for every this many bytes that it carries.
constexpr long kTotalSeconds = 30;
constexpr int64_t kBytesPerExtraSecond = 256 << 10;
// Few threads are active at the same time; further handles are closed after use.
constexpr size_t kMaxIdleHandles = 16;

struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

void Append(HeaderList* list, const std::string& line) {
  list->reset(curl_slist_append(list->release(), line.c_str()));
}

size_t TakeBody(const char* bytes, size_t size, size_t count, void* reply) {
  static_cast<S3Reply*>(reply)->body.append(bytes, size * count);
  return size * count;
}

// The value if the line is `name: value`, otherwise nothing. Names are case-insensitive.
std::string_view HeaderValue(std::string_view line, std::string_view name) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      !std::equal(name.begin(), name.end(), line.begin(),
                  [&](char b, char a) { return same(a, b); })) {
    return {};
  }
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return line;
}

size_t TakeHeader(const char* bytes, size_t size, size_t count, void* out) {
  auto* reply = static_cast<S3Reply*>(out);
  const std::string_view line(bytes, size * count);
  if (const auto date = HeaderValue(line, "date"); !date.empty()) {
    const time_t seconds = curl_getdate(std::string(date).c_str(), nullptr);
    if (seconds >= 0) reply->date_ms = int64_t{seconds} * 1000;
  } else if (const auto region = HeaderValue(line, "x-amz-bucket-region"); !region.empty()) {
    reply->region = region;
  }
  return size * count;
}

bool IsTrustProblem(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR;
}

std::string Remedy(CURLcode code, const S3Config& config) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return ": is the name in s3.endpoint right, and the network up?";
    case CURLE_COULDNT_CONNECT:
      return ": is the service running, and s3.endpoint right?";
    case CURLE_SSL_CONNECT_ERROR:
      return ": check whether s3.endpoint expects TLS (https://) or plain HTTP (http://)";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return ": its certificate is not trusted: set s3.ca_file to the PEM file of the authority "
             "that "
             "signed it, and check that it names the host of s3.endpoint";
    case CURLE_SSL_CACERT_BADFILE:
      return ": s3.ca_file '" + config.ca_file + "' cannot be read as PEM certificates";
    case CURLE_OPERATION_TIMEDOUT:
      return ": the service is too slow or out of reach";
    default:
      return "";
  }
}

std::string Sha256(const arrow::Buffer* body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const void* data = body == nullptr ? "" : static_cast<const void*>(body->data());
  const size_t length = body == nullptr ? 0 : static_cast<size_t>(body->size());
  EVP_Digest(data, length, digest, &size, EVP_sha256(), nullptr);
  return FormatHex({reinterpret_cast<const char*>(digest), size});
}

int64_t Size(const arrow::Buffer* body) { return body == nullptr ? 0 : body->size(); }

}  // namespace

// One curl handle: one request at a time; keeps the connection of the last one.
class S3Client::Handle {
 public:
  Handle() : curl_(curl_easy_init()) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl_); }

  S3Reply Send(const S3Config& config, const std::string& url, const S3Credentials& credentials,
               const S3Request& request) {
    S3Reply reply;
    if (curl_ == nullptr) {
      reply.problem = "out of memory";
      return reply;
    }
    curl_easy_reset(curl_);  // Keeps connections.
    error_[0] = '\0';
    const HeaderList headers = Headers(credentials, request);
    SetTransport(config);
    SetRequest(url, headers.get(), request);
    Sign(config, credentials);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, TakeBody);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &reply);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, TakeHeader);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &reply);
    Finish(curl_easy_perform(curl_), config, &reply);
    return reply;
  }

 private:
  static HeaderList Headers(const S3Credentials& credentials, const S3Request& request) {
    HeaderList headers;
    if (request.only_if_absent) Append(&headers, "If-None-Match: *");
    if (request.body != nullptr) Append(&headers, "Content-Type: application/octet-stream");
    // S3 requires it in every request; libcurl includes it in the signature.
    Append(&headers, "x-amz-content-sha256: " + Sha256(request.body));
    if (!credentials.session_token.empty()) {
      Append(&headers, "X-Amz-Security-Token: " + credentials.session_token);
    }
    return headers;
  }

  void SetTransport(const S3Config& config) {
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMillis);
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    if (!config.ca_file.empty()) {
      curl_easy_setopt(curl_, CURLOPT_CAINFO, config.ca_file.c_str());
      curl_easy_setopt(curl_, CURLOPT_CAPATH, nullptr);  // Trust no other certificates.
    }
  }

  void SetRequest(const std::string& url, curl_slist* headers, const S3Request& request) {
    const int64_t size = Size(request.body);
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PATH_AS_IS, 1L);  // The path sent must equal the signed one.
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT,
                     kTotalSeconds + static_cast<long>(size / kBytesPerExtraSecond));
    if (request.body != nullptr) {
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDS,
                       reinterpret_cast<const char*>(request.body->data()));
    }
    curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  }

  void Sign(const S3Config& config, const S3Credentials& credentials) {
    const std::string scope = "aws:amz:" + config.region + ":s3";
    curl_easy_setopt(curl_, CURLOPT_AWS_SIGV4, scope.c_str());
    curl_easy_setopt(curl_, CURLOPT_USERNAME, credentials.access_key.c_str());
    curl_easy_setopt(curl_, CURLOPT_PASSWORD, credentials.secret_key.c_str());
  }

  void Finish(CURLcode code, const S3Config& config, S3Reply* reply) {
    long status = 0, request_bytes = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl_, CURLINFO_REQUEST_SIZE, &request_bytes);
    reply->sent = request_bytes > 0;
    if (code == CURLE_OK) {
      reply->status = static_cast<int>(status);
      return;
    }
    const char* reason = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    reply->problem = reason + Remedy(code, config);
    reply->hopeless = IsTrustProblem(code);
  }

  CURL* const curl_;
  char error_[CURL_ERROR_SIZE] = "";
};

S3Client::S3Client(S3Config config, S3Address address, CredentialsSource credentials)
    : config_(std::move(config)),
      address_(std::move(address)),
      credentials_(std::move(credentials)) {}

S3Client::~S3Client() = default;

Result<std::unique_ptr<S3Client>> S3Client::Open(const S3Config& config,
                                                 CredentialsSource credentials) {
  // Once per process, before threads use it; a program that never opens S3 never pays for it.
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
                            signal(SIGPIPE, SIG_IGN) != SIG_ERR;  // TLS writes without asking.
  if (!ready) return Unavailable("libcurl cannot be started");
  ARROW_ASSIGN_OR_RAISE(S3Address address, S3Address::Of(config));
  return std::unique_ptr<S3Client>(
      new S3Client(config, std::move(address), std::move(credentials)));
}

std::unique_ptr<S3Client::Handle> S3Client::Borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  return std::make_unique<Handle>();
}

void S3Client::Return(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdleHandles) idle_.push_back(std::move(handle));
}

S3Reply S3Client::Send(const S3Request& request) {
  auto handle = Borrow();
  S3Reply reply =
      handle->Send(config_, S3Url(address_, request.place, request.query), credentials_(), request);
  Return(std::move(handle));
  return reply;
}

std::string SystemCaFile() {
  const auto* info = curl_version_info(CURLVERSION_NOW);
  return info->age >= CURLVERSION_SEVENTH && info->cainfo != nullptr ? info->cainfo : "";
}

}  // namespace shopstream::lake
