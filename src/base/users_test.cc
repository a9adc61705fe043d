#include "base/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/error_kind.h"
#include "base/file_stamp.h"

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
  EXPECT_EQ(Role::kWriter, *users->Authenticate("Basic YW5uOnNlY3JldA=="));  // ann:secret
  EXPECT_EQ(Role::kWriter, *users->Authenticate("Basic YW5uOnNlY3JldA=="));  // Remembered.
  EXPECT_EQ(Role::kReader, *users->Authenticate("Basic Ym9iOnNlY3JldA=="));  // bob:secret
  EXPECT_FALSE(*users->Authenticate("Basic YW5uOndyb25n"));                  // ann:wrong
  EXPECT_FALSE(*users->Authenticate("Basic ZXZlOnNlY3JldA=="));              // eve:secret
}

TEST(UsersTest, WhatIsNoBasicAuthenticationIsRefused) {
  const auto users = Users::Parse("ann:" + std::string(kHash) + ":writer\n");
  ASSERT_TRUE(users.ok()) << users.status();
  for (const std::string& header :
       {std::string(), std::string("Bearer YW5uOnNlY3JldA=="), std::string("Basic "),
        std::string("Basic ?"), std::string("Basic YW5u"), "Basic " + std::string(1000, 'A')}) {
    EXPECT_FALSE(*users->Authenticate(header)) << header;
  }
}

TEST(UsersTest, GuessesDoNotOccupyAllThreads) {
  // Slow on purpose.
  const auto users =
      Users::Parse("ann:$5$rounds=100000$saltsalt$" + std::string(43, 'x') + ":writer\n");
  ASSERT_TRUE(users.ok()) << users.status();
  std::atomic<int> refused = 0, wrong = 0;
  {
    std::vector<std::jthread> guesses;
    std::latch start(32);
    for (int i = 0; i < 32; ++i) {
      guesses.emplace_back([&] {
        start.arrive_and_wait();
        const auto role = users->Authenticate("Basic YW5uOndyb25n");  // ann:wrong
        IsUnavailable(role.status()) ? ++refused : ++wrong;
      });
    }
    for (std::jthread& guess : guesses) guess.join();
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(wrong, 0);
  EXPECT_FALSE(*users->Authenticate("Basic YW5uOndyb25n")) << "there is room again";
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

class UsersFileTest : public testing::Test {
 protected:
  // As editors and orchestrators do: another file under the same name.
  void Replace(const std::string& text) {
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }

  const std::string path_ = testing::TempDir() + "users_test_file";
  const std::string ann_ = "ann:" + std::string(kHash) + ":";
};

TEST_F(UsersFileTest, AReplacedFileIsInForceWithoutARestart) {
  Replace(ann_ + "writer\n");
  const auto users = Users::Read(path_, "registry.users");
  ASSERT_TRUE(users.ok()) << users.status();
  EXPECT_EQ(Role::kWriter, *users->Authenticate("Basic YW5uOnNlY3JldA=="));
  const std::string stamp = users->Stamp("ann");
  EXPECT_NE("", stamp);
  Replace(ann_ + "reader\n");
  EXPECT_EQ(Role::kReader, *users->Authenticate("Basic YW5uOnNlY3JldA=="));
  EXPECT_NE(stamp, users->Stamp("ann"));
  Replace("bob:" + std::string(kHash) + ":reader\n");
  EXPECT_FALSE(*users->Authenticate("Basic YW5uOnNlY3JldA=="));  // Although it was remembered.
  EXPECT_EQ("", users->Stamp("ann"));
}

TEST_F(UsersFileTest, ADamagedFileLeavesTheUsersFromBefore) {
  Replace(ann_ + "writer\n");
  const auto users = Users::Read(path_, "registry.users");
  ASSERT_TRUE(users.ok()) << users.status();
  for (const char* damaged : {"", "ann:in clear text:writer\n"}) {
    Replace(damaged);
    EXPECT_EQ(Role::kWriter, *users->Authenticate("Basic YW5uOnNlY3JldA==")) << damaged;
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(Role::kWriter, *users->Authenticate("Basic YW5uOnNlY3JldA=="));
}

TEST_F(UsersFileTest, AFileThatCouldNotBeReadIsTriedAgain) {
  Replace(ann_ + "writer\n");
  const auto users = Users::Read(path_, "registry.users");
  ASSERT_TRUE(users.ok()) << users.status();
  Replace("bob:" + std::string(kHash) + ":reader\n");
  rlimit files{};
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &files));
  const rlimit none{0, files.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));  // The process can open no file.
  const auto before = users->Authenticate("Basic YW5uOnNlY3JldA==");
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
  EXPECT_EQ(Role::kWriter, *before);
  EXPECT_FALSE(*users->Authenticate("Basic YW5uOnNlY3JldA=="));
}

TEST_F(UsersFileTest, AnotherModeIsAnotherStamp) {
  Replace("text");
  ASSERT_EQ(0, chmod(path_.c_str(), 0600));
  const FileStamp before = FileStamp::Of(path_);
  // The clock of a file system advances in steps.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  do {
    ASSERT_EQ(0, chmod(path_.c_str(), 0400));
  } while (FileStamp::Of(path_) == before && std::chrono::steady_clock::now() < deadline);
  EXPECT_NE(FileStamp::Of(path_), before);
}

}  // namespace
}  // namespace shopstream
