#include "base/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream {
namespace {

using testing::HasSubstr;

// `openssl passwd -5 -salt saltsalt` of "secret".
constexpr const char* kHash = "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA";

TEST(UsersTest, ARoleTakesTheRightPassword) {
  const auto users = Users::Parse("# who may\nann:" + std::string(kHash) + ":writer  # comment\n" +
                                  "bob:" + kHash + ":reader\n");
  ASSERT_TRUE(users.ok()) << users.status();
  EXPECT_FALSE(users->anyone());
  EXPECT_EQ(Role::kWriter, users->Authenticate("Basic YW5uOnNlY3JldA=="));  // ann:secret
  EXPECT_EQ(Role::kWriter, users->Authenticate("Basic YW5uOnNlY3JldA=="));  // Remembered.
  EXPECT_EQ(Role::kReader, users->Authenticate("Basic Ym9iOnNlY3JldA=="));  // bob:secret
  EXPECT_FALSE(users->Authenticate("Basic YW5uOndyb25n"));                  // ann:wrong
  EXPECT_FALSE(users->Authenticate("Basic ZXZlOnNlY3JldA=="));              // eve:secret
}

TEST(UsersTest, WhatIsNoBasicAuthenticationIsRefused) {
  const auto users = Users::Parse("ann:" + std::string(kHash) + ":writer\n");
  ASSERT_TRUE(users.ok()) << users.status();
  for (const std::string& header :
       {std::string(), std::string("Bearer YW5uOnNlY3JldA=="), std::string("Basic "),
        std::string("Basic ?"), std::string("Basic YW5u"), "Basic " + std::string(1000, 'A')}) {
    EXPECT_FALSE(users->Authenticate(header)) << header;
  }
}

TEST(UsersTest, AFileIsRefusedByLine) {
  const auto error = [](const std::string& text) { return Users::Parse(text).status().message(); };
  const std::string hash = kHash;
  EXPECT_THAT(error("\nann:" + hash + "\n"), HasSubstr("line 2 is not name:hash:reader"));
  EXPECT_THAT(error("ann:" + hash + ":admin\n"), HasSubstr("line 1"));
  EXPECT_THAT(error("ann:secret:reader\n"), HasSubstr("the hash of ann is not known"));
  EXPECT_THAT(error("ann:" + hash + ":reader\nann:" + hash + ":writer\n"),
              HasSubstr("line 2: user ann occurs twice"));
  EXPECT_THAT(error("# nobody\n"), HasSubstr("no users"));
  EXPECT_THAT(Users::Read("/does/not/exist", "registry.users").status().message(),
              HasSubstr("registry.users"));
  EXPECT_TRUE(Users().anyone());
}

}  // namespace
}  // namespace shopstream
