#include "lake/store/s3_failure.h"

#include <arrow/util/io_util.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/error_kind.h"
#include "base/format.h"
#include "lake/store/s3_reply.h"

namespace shopstream::lake {
namespace {

constexpr size_t kShownBytes = 200;

// S3's code, the name that Arrow's library gives it, what it means and what to do about it.
struct Meaning {
  std::string_view code;
  std::string_view arrow_name;
  std::string_view words;
  bool passing = false;  // A retry may succeed, whatever the HTTP status.
};

// clang-format off
constexpr Meaning kMeanings[] = {
    {"NoSuchBucket", "NO_SUCH_BUCKET",
     "there is no such bucket: create it, or correct lake.uri"},
    {"AccessDenied", "ACCESS_DENIED",
     "access denied: grant this key the permissions of docs/lake.md, 'On S3', for the bucket and "
     "what is in it"},
    {"AllAccessDisabled", "", "access denied: the bucket is locked"},
    {"InvalidAccessKeyId", "INVALID_ACCESS_KEY_ID",
     "the service does not know this access key: correct s3.access_key, AWS_ACCESS_KEY_ID or the "
     "profile"},
    {"SignatureDoesNotMatch", "SIGNATURE_DOES_NOT_MATCH",
     "the secret key does not belong to the access key: correct s3.secret_key, "
     "AWS_SECRET_ACCESS_KEY or the profile"},
    {"ExpiredToken", "EXPIRED_TOKEN",
     "the session token has expired: fetch new temporary credentials"},
    {"InvalidToken", "INVALID_TOKEN",
     "the session token is not valid: correct s3.session_token or AWS_SESSION_TOKEN"},
    {"InvalidTokenId", "",
     "the session token is not valid: correct s3.session_token or AWS_SESSION_TOKEN"},
    {"RequestTimeTooSkewed", "REQUEST_TIME_TOO_SKEWED",
     "this machine's clock and the service's differ too much: set both by NTP"},
    {"RequestExpired", "REQUEST_EXPIRED",
     "this machine's clock and the service's differ too much: set both by NTP"},
    {"AuthorizationHeaderMalformed", "AUTHORIZATION_HEADER_MALFORMED",
     "the bucket is in another region: set s3.region"},
    {"PermanentRedirect", "PERMANENT_REDIRECT", "the bucket is in another region: set s3.region"},
    {"IllegalLocationConstraintException", "", "the bucket is in another region: set s3.region"},
    {"BucketAlreadyExists", "BUCKET_ALREADY_EXISTS",
     "the bucket's name is taken by another account: choose another"},
    {"InvalidBucketName", "INVALID_BUCKET_NAME",
     "the bucket's name is not allowed: correct lake.uri"},
    {"NotImplemented", "", "the service does not know this kind of request"},
    {"KeyTooLongError", "", "the path is too long for S3 (1024 bytes)"},
    {"QuotaExceeded", "", "the quota is used up: raise it or delete objects"},
    {"XMinioAdminBucketQuotaExceeded", "",
     "the bucket's quota is used up: raise it or delete objects"},
    {"XMinioStorageFull", "", "the service's disks are full: free some space there", true},
    {"SlowDown", "SLOW_DOWN", "the service asks for fewer requests", true},
    {"ServiceUnavailable", "SERVICE_UNAVAILABLE", "the service is overloaded or starting", true},
    {"XMinioServerNotInitialized", "", "the service is still starting", true},
    {"InternalError", "INTERNAL_FAILURE", "the service reports an internal fault: check its log",
     true},
    {"OperationAborted", "", "another request for the same object is in progress", true},
    {"RequestTimeout", "REQUEST_TIMEOUT", "the request came too slowly: check the network", true},
    {"IncompleteBody", "", "the request was cut short: check the network", true},
    {"BadDigest", "", "the request was damaged in transit: check the network", true},
    {"XAmzContentSHA256Mismatch", "", "the request was damaged in transit: check the network", true},
};
// clang-format on

// Null: unknown.
const Meaning* FindMeaning(std::string_view code) {
  const auto* const found =
      std::find_if(std::begin(kMeanings), std::end(kMeanings),
                   [&](const Meaning& meaning) { return meaning.code == code; });
  return found == std::end(kMeanings) ? nullptr : found;
}

// A HEAD gets a 403 without a body; only a bucket has its own region.
std::string CodeOf(const S3Reply& reply, const S3Error& error) {
  if (!error.code.empty()) return error.code;
  if (reply.status == 403) return "AccessDenied";
  if (reply.status == 301) return "PermanentRedirect";
  return "";
}

// What the reply reveals beyond its code.
std::string Detail(const Meaning& meaning, const S3Reply& reply, const S3Error& error,
                   int64_t now_ms) {
  const std::string region = !error.region.empty() ? error.region : reply.region;
  if (meaning.words.ends_with("set s3.region") && !region.empty()) return "=" + Printable(region);
  if (meaning.words.ends_with("by NTP") && reply.date_ms >= 0) {
    return " (they differ by " + FormatMillis(std::abs(now_ms - reply.date_ms)) + ")";
  }
  return "";
}

std::string Words(const S3Reply& reply, int64_t now_ms) {
  if (reply.status == 0) return Printable(reply.problem);
  const S3Error error = ParseS3Error(reply.body);
  const std::string code = CodeOf(reply, error);
  const std::string said =
      " [HTTP " + std::to_string(reply.status) + (code.empty() ? "" : " " + Printable(code)) + "]";
  if (const Meaning* meaning = FindMeaning(code)) {
    return std::string(meaning->words) + Detail(*meaning, reply, error, now_ms) + said;
  }
  if (error.message.empty() && code.empty()) {
    const std::string body =
        reply.body.empty() ? "" : ", but '" + Printable(reply.body.substr(0, kShownBytes)) + "'";
    return "the answer is not S3's" + body + ": correct s3.endpoint" + said;
  }
  return Printable((error.message.empty() ? reply.body : error.message).substr(0, kShownBytes)) +
         said;
}

}  // namespace

S3Verdict Judge(const S3Reply& reply, bool conditional) {
  if (reply.status == 0) {
    if (reply.hopeless) return S3Verdict::kRefused;
    return conditional && reply.sent ? S3Verdict::kLost : S3Verdict::kAgain;
  }
  if (reply.status / 100 == 2 || reply.status == 404 || reply.status == 412) {
    return S3Verdict::kAnswered;
  }
  const std::string code = ParseS3Error(reply.body).code;
  if (code == "BucketAlreadyExists") return S3Verdict::kRefused;  // Although it is a 409.
  const bool later = (reply.status >= 500 && reply.status != 501) || reply.status == 409 ||
                     reply.status == 408 || reply.status == 429 || reply.status == 307;
  if (later) return S3Verdict::kAgain;
  const Meaning* meaning = FindMeaning(code);
  return meaning != nullptr && meaning->passing ? S3Verdict::kAgain : S3Verdict::kRefused;
}

Status S3Failure(const std::string& what, const S3Reply& reply, bool conditional, int64_t now_ms) {
  const std::string message = "cannot " + what + ": " + Words(reply, now_ms);
  const S3Verdict verdict = Judge(reply, conditional);
  const bool final = verdict == S3Verdict::kRefused || verdict == S3Verdict::kAnswered;
  return final ? WithKind(ErrorKind::kRefused, Status::Invalid(message)) : Unavailable(message);
}

Status S3Failure(const std::string& what, const Status& arrow_status) {
  if (arrow_status.ok()) return arrow_status;
  const std::string& text = arrow_status.message();
  for (const Meaning& meaning : kMeanings) {
    if (meaning.arrow_name.empty()) continue;
    const std::string name = "AWS Error " + std::string(meaning.arrow_name) + " ";
    if (text.find(name) == std::string::npos) continue;
    const std::string message = "cannot " + what + ": " + std::string(meaning.words);
    return meaning.passing ? Unavailable(message)
                           : WithKind(ErrorKind::kRefused, Status::Invalid(message));
  }
  if (arrow::internal::ErrnoFromStatus(arrow_status) == ENOENT) {
    return Gone("cannot ", what, ": ", text);
  }
  return Unavailable("cannot ", what, ": ", text);
}

}  // namespace shopstream::lake
