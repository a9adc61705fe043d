#include "lake/store/s3_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::lake {
namespace {

using ::testing::HasSubstr;

S3Reply Answer(int status, const std::string& code = "", const std::string& more = "") {
  S3Reply reply;
  reply.status = status;
  reply.sent = true;
  if (!code.empty()) reply.body = "<Error><Code>" + code + "</Code>" + more + "</Error>";
  return reply;
}

S3Reply NoAnswer(bool sent, bool hopeless = false) {
  S3Reply reply;
  reply.problem = "connection reset";
  reply.sent = sent;
  reply.hopeless = hopeless;
  return reply;
}

std::string Words(const S3Reply& reply, int64_t now_ms = 0) {
  return S3Failure("put s3://lake/a", reply, false, now_ms).message();
}

TEST(S3Verdict, TellsWhatAnotherTryMayMend) {
  for (const int status : {200, 204, 404, 412}) {
    EXPECT_EQ(S3Verdict::kAnswered, Judge(Answer(status), true)) << status;
  }
  for (const int status : {409, 429, 500, 503, 507}) {
    EXPECT_EQ(S3Verdict::kAgain, Judge(Answer(status), true)) << status;
  }
  for (const int status : {301, 400, 403, 501}) {
    EXPECT_EQ(S3Verdict::kRefused, Judge(Answer(status), true)) << status;
  }
  EXPECT_EQ(S3Verdict::kAgain, Judge(Answer(400, "RequestTimeout"), false));
  EXPECT_EQ(S3Verdict::kAgain, Judge(Answer(400, "IncompleteBody"), false));
  EXPECT_EQ(S3Verdict::kRefused, Judge(Answer(409, "BucketAlreadyExists"), false));
}

TEST(S3Verdict, AConditionalPutWhoseReplyIsLostIsLeftToTheCaller) {
  EXPECT_EQ(S3Verdict::kLost, Judge(NoAnswer(/*sent=*/true), true));
  EXPECT_EQ(S3Verdict::kAgain, Judge(NoAnswer(/*sent=*/false), true));
  EXPECT_EQ(S3Verdict::kAgain, Judge(NoAnswer(/*sent=*/true), false));
  EXPECT_EQ(S3Verdict::kRefused, Judge(NoAnswer(false, /*hopeless=*/true), true));
  EXPECT_TRUE(S3Failure("put", NoAnswer(true), true, 0).IsIOError());
}

TEST(S3Failure, SaysWhatFailedWhyAndWhatToDo) {
  EXPECT_THAT(Words(Answer(404, "NoSuchBucket")),
              HasSubstr("cannot put s3://lake/a: there is no such bucket"));
  EXPECT_THAT(Words(Answer(403, "AccessDenied")), HasSubstr("grant this key"));
  EXPECT_THAT(Words(Answer(403)), HasSubstr("access denied"));
  EXPECT_THAT(Words(Answer(403, "InvalidAccessKeyId")), HasSubstr("s3.access_key"));
  EXPECT_THAT(Words(Answer(403, "SignatureDoesNotMatch")), HasSubstr("s3.secret_key"));
  EXPECT_THAT(Words(Answer(400, "ExpiredToken")), HasSubstr("session token"));
  EXPECT_THAT(Words(Answer(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
              HasSubstr("set s3.region=eu-west-1"));
  EXPECT_THAT(Words(NoAnswer(false)), HasSubstr("connection reset"));
  S3Reply moved = Answer(301);
  moved.region = "eu-west-1";
  EXPECT_THAT(Words(moved), HasSubstr("set s3.region=eu-west-1"));
  S3Reply skewed = Answer(403, "RequestTimeTooSkewed");
  skewed.date_ms = 3'600'000;
  EXPECT_THAT(Words(skewed, 0), HasSubstr("differ by 1 h"));
}

TEST(S3Failure, UnknownOnesKeepTheServicesWordsHarmless) {
  EXPECT_THAT(Words(Answer(418, "Teapot", "<Message>short\x1b[31m</Message>")),
              HasSubstr("short\\x1b[31m [HTTP 418 Teapot]"));
  S3Reply page = Answer(400);
  page.body = std::string(5000, 'x');
  EXPECT_LT(Words(page).size(), 300U);
}

TEST(S3Failure, ReadsArrowsErrorsToo) {
  const auto denied =
      S3Failure("open s3://lake/a",
                Status::IOError("When reading information for key 'a' in bucket 'lake': AWS Error "
                                "ACCESS_DENIED during HeadObject operation: No response body."));
  EXPECT_TRUE(denied.IsInvalid());
  EXPECT_THAT(denied.message(), HasSubstr("cannot open s3://lake/a: access denied"));
  EXPECT_TRUE(
      S3Failure("write", Status::IOError("AWS Error SLOW_DOWN during PutObject")).IsIOError());
  EXPECT_THAT(S3Failure("write", Status::IOError("Path does not exist 'x'")).message(),
              HasSubstr("Path does not exist"));
}

}  // namespace
}  // namespace shopstream::lake
