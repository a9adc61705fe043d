#include "lake/store/s3_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(S3Listing, OfObjectsAndFolders) {
  const auto page = ParseS3Listing(R"(<?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <Name>lake</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
      <NextContinuationToken>abc==</NextContinuationToken>
      <Contents><Key>region%3DUS/a+b</Key><LastModified>2026-11-24T08:22:02.123Z</LastModified>
        <Size>42</Size></Contents>
      <CommonPrefixes><Prefix>region%3DEU/</Prefix></CommonPrefixes>
    </ListBucketResult>)")
                        .ValueOrDie();
  ASSERT_EQ(1U, page.objects.size());
  EXPECT_EQ("region=US/a b", page.objects[0].key);
  EXPECT_EQ(42, page.objects[0].size_bytes);
  EXPECT_EQ(1795508522123, page.objects[0].modified_ms);
  EXPECT_THAT(page.folders, ElementsAre("region=EU/"));
  EXPECT_EQ("abc==", page.next);
}

TEST(S3Listing, KeysOfAServiceThatDoesNotEscapeThemStayAsTheyAre) {
  for (const char* encoding : {"", "<EncodingType/>"}) {
    const auto page = *ParseS3Listing(
        "<ListBucketResult><Contents><Key>region=a%2Fb/c+d</Key><LastModified>2026-11-24T08:22:02Z"
        "</LastModified></Contents><CommonPrefixes><Prefix>50%/</Prefix></CommonPrefixes>" +
        std::string(encoding) + "</ListBucketResult>");
    EXPECT_EQ("region=a%2Fb/c+d", page.objects.at(0).key);
    EXPECT_THAT(page.folders, ElementsAre("50%/"));
    const auto uploads = *ParseS3Uploads(
        "<ListMultipartUploadsResult><NextKeyMarker>a%2Fb</NextKeyMarker><Upload><Key>a%2Fb</Key>"
        "<Initiated>2026-11-24T08:22:02Z</Initiated></Upload>" +
        std::string(encoding) + "</ListMultipartUploadsResult>");
    EXPECT_EQ("a%2Fb", uploads.uploads.at(0).key);
    EXPECT_EQ("a%2Fb", uploads.next_key);
  }
}

TEST(S3Listing, EndsWhereItSaysSo) {
  const auto page = ParseS3Listing(
      "<ListBucketResult><IsTruncated>false</IsTruncated><NextContinuationToken>x"
      "</NextContinuationToken></ListBucketResult>");
  EXPECT_EQ("", page->next);
  EXPECT_TRUE(page->objects.empty());
}

TEST(S3Listing, WhatIsNotOneIsAnErrorThatMayPass) {
  for (const char* text :
       {"", "<html>proxy</html>", "<ListBucketResult><Contents>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"}) {
    EXPECT_TRUE(ParseS3Listing(text).status().IsIOError()) << text;
  }
  EXPECT_THAT(ParseS3Listing("<html>proxy</html>").status().message(), HasSubstr("proxy"));
}

TEST(S3Buckets, AreListedByName) {
  EXPECT_THAT(*ParseS3Buckets("<ListAllMyBucketsResult><Owner/><Buckets><Bucket><Name>b</Name>"
                              "</Bucket><Bucket><Name>a</Name></Bucket></Buckets>"
                              "</ListAllMyBucketsResult>"),
              ElementsAre("b", "a"));
}

TEST(S3Uploads, KnowTheirBeginning) {
  const auto page =
      ParseS3Uploads(
          "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
          "<EncodingType>url</EncodingType>"
          "<NextKeyMarker>a%2Fb</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>"
          "<Upload><Key>a%2Fb</Key><UploadId>1</UploadId>"
          "<Initiated>2026-11-24T08:22:02Z</Initiated></Upload>"
          "</ListMultipartUploadsResult>")
          .ValueOrDie();
  ASSERT_EQ(1U, page.uploads.size());
  EXPECT_EQ("a/b", page.uploads[0].key);
  EXPECT_EQ("1", page.uploads[0].id);
  EXPECT_EQ(1795508522000, page.uploads[0].begun_ms);
  EXPECT_TRUE(page.more);
  EXPECT_EQ("a/b", page.next_key);
  EXPECT_EQ("2", page.next_id);
}

TEST(S3Error, IsReadWithAndWithoutNamespace) {
  const auto error = ParseS3Error(
      "<s3:Error xmlns:s3='x'><s3:Code>AuthorizationHeaderMalformed</s3:Code>"
      "<s3:Message>wrong &amp; bad</s3:Message><s3:Region>eu-west-1</s3:Region></s3:Error>");
  EXPECT_EQ("AuthorizationHeaderMalformed", error.code);
  EXPECT_EQ("wrong & bad", error.message);
  EXPECT_EQ("eu-west-1", error.region);
  EXPECT_EQ("", ParseS3Error("502 Bad Gateway").code);
}

TEST(S3Time, WithAnyFraction) {
  EXPECT_EQ(1795508522120, *ParseS3Time("2026-11-24T08:22:02.12Z"));
  EXPECT_EQ(1795508522123, *ParseS3Time("2026-11-24T08:22:02.123456789Z"));
  EXPECT_TRUE(ParseS3Time("yesterday").status().IsIOError());
  EXPECT_TRUE(ParseS3Time("").status().IsIOError());
}

}  // namespace
}  // namespace shopstream::lake
