#include "lake/s3_failure.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/format.h"
#include "lake/s3_reply.h"

namespace shopstream::lake {
namespace {

constexpr size_t kShownBytes = 200;

// S3's code, the name that Arrow's library gives it, what it means and what to do about it.
struct Meaning {
  std::string_view code;
  std::string_view arrow_name;
  std::string_view words;
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
    {"InvalidTokenId", "", "the session token is not valid: correct s3.session_token or AWS_SESSION_TOKEN"},
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
    {"InvalidBucketName", "INVALID_BUCKET_NAME", "the bucket's name is not allowed: correct lake.uri"},
    {"NotImplemented", "", "the service does not know this kind of request"},
    {"KeyTooLongError", "", "the path is too long for S3 (1024 bytes)"},
    {"QuotaExceeded", "", "the quota is used up: raise it or delete objects"},
    {"XMinioAdminBucketQuotaExceeded", "", "the bucket's quota is used up: raise it or delete objects"},
    {"XMinioStorageFull", "", "the service's disks are full: free some space there"},
    {"SlowDown", "SLOW_DOWN", "the service asks for fewer requests"},
    {"ServiceUnavailable", "SERVICE_UNAVAILABLE", "the service is overloaded or starting"},
    {"XMinioServerNotInitialized", "", "the service is still starting"},
    {"InternalError", "INTERNAL_FAILURE", "the service reports an error of its own: see its log"},
};
// clang-format on

constexpr std::string_view kPassing[] = {"RequestTimeout", "IncompleteBody",
                                         "BadDigest",      "XAmzContentSHA256Mismatch",
                                         "SlowDown",       "OperationAborted"};

// A 403 without a body is what a HEAD gets; only a bucket has a region of its own.
std::string CodeOf(const S3Reply& reply, const S3Error& error) {
  if (!error.code.empty()) return error.code;
  if (reply.status == 403) return "AccessDenied";
  if (reply.status == 301) return "PermanentRedirect";
  return "";
}

std::string Meaningful(const std::string& code) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code == code) return std::string(meaning.words);
  }
  return "";
}

// What the reply itself tells beyond its code.
std::string Detail(const std::string& code, const S3Reply& reply, const S3Error& error,
                   int64_t now_ms) {
  const std::string region = !error.region.empty() ? error.region : reply.region;
  const bool about_region = Meaningful(code).find("s3.region") != std::string::npos;
  if (about_region && !region.empty()) return "=" + Printable(region);
  const bool about_time = code == "RequestTimeTooSkewed" || code == "RequestExpired";
  if (about_time && reply.date_ms >= 0) {
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
  const std::string meaning = Meaningful(code);
  if (!meaning.empty()) return meaning + Detail(code, reply, error, now_ms) + said;
  const std::string own = error.message.empty() ? reply.body : error.message;
  return Printable(own.substr(0, kShownBytes)) + said;
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
  const bool later = (reply.status >= 500 && reply.status != 501) || reply.status == 409 ||
                     reply.status == 408 || reply.status == 429 || reply.status == 307;
  if (later) return S3Verdict::kAgain;
  const std::string code = ParseS3Error(reply.body).code;
  const bool passing =
      std::find(std::begin(kPassing), std::end(kPassing), code) != std::end(kPassing);
  return passing ? S3Verdict::kAgain : S3Verdict::kRefused;
}

Status S3Failure(const std::string& what, const S3Reply& reply, bool conditional, int64_t now_ms) {
  const std::string message = "cannot " + what + ": " + Words(reply, now_ms);
  const S3Verdict verdict = Judge(reply, conditional);
  const bool final = verdict == S3Verdict::kRefused || verdict == S3Verdict::kAnswered;
  return final ? Status::Invalid(message) : Status::IOError(message);
}

Status S3Failure(const std::string& what, const Status& arrow_status) {
  if (arrow_status.ok()) return arrow_status;
  const std::string& text = arrow_status.message();
  for (const Meaning& meaning : kMeanings) {
    if (meaning.arrow_name.empty()) continue;
    const std::string name = "AWS Error " + std::string(meaning.arrow_name) + " ";
    if (text.find(name) == std::string::npos) continue;
    S3Reply reply;
    reply.status = 400;
    reply.body = "<Error><Code>" + std::string(meaning.code) + "</Code></Error>";
    const bool passing = Judge(reply, false) == S3Verdict::kAgain ||
                         meaning.code == "InternalError" || meaning.code == "ServiceUnavailable";
    const std::string message = "cannot " + what + ": " + std::string(meaning.words);
    return passing ? Status::IOError(message) : Status::Invalid(message);
  }
  return Status::IOError("cannot ", what, ": ", text);
}

}  // namespace shopstream::lake
