#include "lake/store/s3_client.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"

namespace shopstream::lake {
namespace {

constexpr Millis kConnectTimeout{3000};
constexpr int64_t kSlowestBytesPerSecond = 1024;
// A request takes at most this long, plus one second for every this many bytes that it carries.
constexpr Millis kTotalTimeout{30'000};
constexpr int64_t kBytesPerExtraSecond = 256 << 10;
// Objects are read whole.
constexpr int64_t kMaxReplyBytes = int64_t{8} << 30;
// Few threads are active at the same time; further connections are closed after use.
constexpr size_t kMaxIdle = 16;

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

void TakeHeader(std::string_view line, S3Reply* reply) {
  if (const auto date = HeaderValue(line, "date"); !date.empty()) {
    const int64_t seconds = ParseHttpDate(std::string(date));
    if (seconds >= 0) reply->date_ms = seconds * 1000;
  } else if (const auto region = HeaderValue(line, "x-amz-bucket-region"); !region.empty()) {
    reply->region = region;
  }
}

std::string Remedy(HttpFailure failure, const S3Config& config) {
  switch (failure) {
    case HttpFailure::kHostUnknown:
      return ": is the name in s3.endpoint right, and the network up?";
    case HttpFailure::kNotConnected:
      return ": is the service running, and s3.endpoint right?";
    case HttpFailure::kTls:
    case HttpFailure::kNotHttp:
      return ": check whether s3.endpoint expects TLS (https://) or plain HTTP (http://)";
    case HttpFailure::kNotTrusted:
      return ": its certificate is not trusted: set s3.ca_file to the PEM file of the authority "
             "that signed it, and check that it names the host of s3.endpoint";
    case HttpFailure::kBadCaFile:
      return ": s3.ca_file '" + config.ca_file + "' cannot be read as PEM certificates";
    case HttpFailure::kTimeout:
    case HttpFailure::kConnectTimeout:
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

std::vector<std::string> Headers(const S3Credentials& credentials, const S3Request& request) {
  std::vector<std::string> headers;
  if (request.only_if_absent) headers.push_back("If-None-Match: *");
  if (request.body != nullptr) headers.push_back("Content-Type: application/octet-stream");
  // S3 requires it in every request; libcurl includes it in the signature.
  headers.push_back("x-amz-content-sha256: " + Sha256(request.body));
  if (!credentials.session_token.empty()) {
    headers.push_back("X-Amz-Security-Token: " + credentials.session_token);
  }
  return headers;
}

HttpTransferRequest ToTransfer(const S3Config& config, const S3Credentials& credentials,
                               const S3Request& request) {
  HttpTransferRequest transfer;
  transfer.method = request.method;
  transfer.headers = Headers(credentials, request);
  transfer.username = credentials.access_key;
  transfer.password = credentials.secret_key;
  transfer.signature_scope = "aws:amz:" + config.region + ":s3";
  transfer.ca_file = config.ca_file;
  transfer.proxy_of_environment = true;
  transfer.connect_timeout = kConnectTimeout;
  const int64_t bytes = request.body == nullptr ? 0 : request.body->size();
  transfer.timeout = kTotalTimeout + Millis{1000 * (bytes / kBytesPerExtraSecond)};
  transfer.min_bytes_per_second = kSlowestBytesPerSecond;
  transfer.max_reply_bytes = kMaxReplyBytes;
  return transfer;
}

}  // namespace

S3Client::S3Client(S3Config config, S3Address address, CredentialsSource credentials)
    : config_(std::move(config)),
      address_(std::move(address)),
      credentials_(std::move(credentials)) {}

S3Client::~S3Client() = default;

Result<std::unique_ptr<S3Client>> S3Client::Open(const S3Config& config,
                                                 CredentialsSource credentials) {
  ARROW_ASSIGN_OR_RAISE(S3Address address, S3Address::Of(config));
  return std::unique_ptr<S3Client>(
      new S3Client(config, std::move(address), std::move(credentials)));
}

Result<HttpTransfer> S3Client::Borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      HttpTransfer transfer = std::move(idle_.back());
      idle_.pop_back();
      return transfer;
    }
  }
  return HttpTransfer::Open();
}

void S3Client::Return(HttpTransfer transfer) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(transfer));
}

S3Reply S3Client::Send(const S3Request& request) {
  S3Reply reply;
  auto transfer = Borrow();
  if (!transfer.ok()) {
    reply.problem = transfer.status().message();
    return reply;
  }
  HttpTransferRequest outgoing = ToTransfer(config_, credentials_(), request);
  outgoing.url = S3Url(address_, request.place, request.query);
  if (request.body != nullptr) outgoing.body = std::string_view(*request.body);
  outgoing.on_header = [&reply](std::string_view line) { TakeHeader(line, &reply); };
  HttpTransferReply answer = transfer->Send(outgoing);
  Return(*std::move(transfer));
  reply.sent = answer.sent;
  reply.status = answer.status;
  reply.body = std::move(answer.body);
  if (answer.failure != HttpFailure::kNone) {
    reply.problem = answer.problem + Remedy(answer.failure, config_);
    reply.hopeless =
        answer.failure == HttpFailure::kNotTrusted || answer.failure == HttpFailure::kBadCaFile;
  }
  return reply;
}

}  // namespace shopstream::lake
