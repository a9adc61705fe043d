#include "lake/store/s3_location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::lake {
namespace {

using ::testing::HasSubstr;

S3Root Root(const std::string& uri) { return S3Root::Parse(uri).ValueOrDie(); }

TEST(S3Root, APathLiesBelowBucketAndPrefix) {
  EXPECT_EQ((S3Place{"lake", "t/a"}), *Root("s3://lake").Locate("t/a"));
  EXPECT_EQ((S3Place{"lake", "shop/one/t/a"}), *Root("s3://lake/shop/one/").Locate("t/a"));
  EXPECT_EQ((S3Place{"bronze-events", "_delta_log/0.json"}),
            *Root("s3://").Locate("bronze-events/_delta_log/0.json"));
  EXPECT_EQ((S3Place{"gold-metrics", "product_daily/a"}),
            *Root("s3://").Locate("gold-metrics/product_daily/a"));
}

TEST(S3Root, ThePathComesBack) {
  for (const char* uri : {"s3://lake", "s3://lake/shop", "s3://"}) {
    const S3Root root = Root(uri);
    EXPECT_EQ("bronze-events/a b/c", root.PathOf(*root.Locate("bronze-events/a b/c"))) << uri;
  }
}

TEST(S3Root, APrefixMayEndAnywhere) {
  EXPECT_EQ((S3Place{"lake", "shop/t/_delta_log/0"}),
            Root("s3://lake/shop").LocatePrefix("t/_delta_log/0"));
  EXPECT_EQ((S3Place{"lake", "shop/"}), Root("s3://lake/shop").LocatePrefix(""));
  EXPECT_EQ((S3Place{"bronze-events", ""}), Root("s3://").LocatePrefix("bronze-events/"));
  EXPECT_EQ((S3Place{"", "bron"}), Root("s3://").LocatePrefix("bron"));
}

TEST(S3Root, OnlyWhatLiesBelowItIsItsOwn) {
  EXPECT_TRUE(Root("s3://lake/shop").Contains({"lake", "shop/t/a"}));
  EXPECT_FALSE(Root("s3://lake/shop").Contains({"lake", "shopping/a"}));
  EXPECT_FALSE(Root("s3://lake/shop").Contains({"other", "shop/t/a"}));
}

TEST(S3Root, WhatCannotBeIsRefusedInWords) {
  for (const char* uri : {"s3://Lake", "s3://ab", "s3:///prefix", "s3://lake//x", "s3://lake/../x",
                          "s3://user@lake", "file:///x"}) {
    EXPECT_TRUE(S3Root::Parse(uri).status().IsInvalid()) << uri;
  }
  EXPECT_THAT(S3Root::Parse("s3://Lake").status().message(), HasSubstr("lower-case letters"));
  for (const char* path : {"", "a//b", "/a", "a/", "a/../b", "./a"}) {
    EXPECT_TRUE(Root("s3://lake").Locate(path).status().IsInvalid()) << path;
  }
  EXPECT_THAT(Root("s3://").Locate("alone").status().message(), HasSubstr("bucket"));
}

TEST(S3Address, IsAwssOwnUnlessAnEndpointIsGiven) {
  S3Config config;
  config.region = "eu-central-1";
  EXPECT_EQ("https://lake.s3.eu-central-1.amazonaws.com/a",
            S3Url(*S3Address::Of(config), {"lake", "a"}, {}));
  // A dot would not match the certificate.
  EXPECT_EQ("https://s3.eu-central-1.amazonaws.com/my.lake/a",
            S3Url(*S3Address::Of(config), {"my.lake", "a"}, {}));
  config.region = "cn-north-1";
  EXPECT_EQ("https://lake.s3.cn-north-1.amazonaws.com.cn/",
            S3Url(*S3Address::Of(config), {"lake", ""}, {}));
  config.endpoint = "http://127.0.0.1:9000/";
  EXPECT_EQ("http://127.0.0.1:9000/lake/a", S3Url(*S3Address::Of(config), {"lake", "a"}, {}));
  EXPECT_EQ("http://127.0.0.1:9000/lake", S3Url(*S3Address::Of(config), {"lake", ""}, {}));
  EXPECT_EQ("http://127.0.0.1:9000/", S3Url(*S3Address::Of(config), {}, {}));
  for (const char* endpoint : {"127.0.0.1:9000", "ftp://host", "http://host/path", "http://"}) {
    config.endpoint = endpoint;
    EXPECT_TRUE(S3Address::Of(config).status().IsInvalid()) << endpoint;
  }
}

TEST(S3Url, EscapesAsSignaturesWantIt) {
  const S3Address address{"http", "host", true};
  EXPECT_EQ("http://host/lake/region%3DUS/a%20b%25%2B%C3%A9%2A~.txt",
            S3Url(address, {"lake", "region=US/a b%+é*~.txt"}, {}));
  EXPECT_EQ(
      "http://host/lake?list-type=2&prefix=a%2Fb%20c&uploads=",
      S3Url(address, {"lake", ""}, {{"uploads", ""}, {"prefix", "a/b c"}, {"list-type", "2"}}));
}

TEST(S3Keys, ComeBackFromListings) {
  const std::string key = "region=US/a b%+é\n";
  EXPECT_EQ(key, UnescapeFromS3(EscapeForS3(key, true)));
  EXPECT_EQ("a b+c%zz%", UnescapeFromS3("a+b%2Bc%zz%"));
}

}  // namespace
}  // namespace shopstream::lake
