#include "base/page_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "base/error_kind.h"

namespace shopstream {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

class PageFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "pages-XXXXXX";
    ASSERT_NE(nullptr, ::mkdtemp(pattern.data()));
    path_ = pattern + "/deeper/still";
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string root_, path_;
};

TEST_F(PageFileTest, WhatWasWrittenIsReadByTheNextProcess) {
  auto folder = OpenPageFolder(path_).ValueOrDie();
  {
    const auto file = folder->Open("a").ValueOrDie();
    ASSERT_TRUE(file->Write(3, Bytes("hello")).ok());
    ASSERT_TRUE(file->Write(5, Bytes("n")).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(folder->Sync().ok());
  }
  folder.reset();
  folder = OpenPageFolder(path_).ValueOrDie();
  const auto file = folder->Open("a").ValueOrDie();
  EXPECT_EQ(8, file->Size().ValueOrDie());
  std::string text(8, '?');
  ASSERT_TRUE(file->Read(0, std::as_writable_bytes(std::span(text))).ok());
  EXPECT_EQ(std::string("\0\0\0henlo", 8), text);
  const Status beyond = file->Read(4, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(beyond));
  EXPECT_THAT(beyond.message(), HasSubstr(path_ + "/a ends before byte 12"));
}

TEST_F(PageFileTest, FilesAreListedAndRemoved) {
  const auto folder = OpenPageFolder(path_).ValueOrDie();
  EXPECT_THAT(folder->List().ValueOrDie(), IsEmpty());
  const auto file = folder->Open("a").ValueOrDie();
  ASSERT_TRUE(file->Write(0, Bytes("12345")).ok());
  ASSERT_THAT(folder->List().ValueOrDie(), SizeIs(1));
  EXPECT_EQ("a", folder->List()->front().name);
  EXPECT_EQ(5, folder->List()->front().bytes);
  ASSERT_TRUE(folder->Remove("a").ok());
  EXPECT_TRUE(folder->Remove("a").ok());
  EXPECT_THAT(folder->List().ValueOrDie(), IsEmpty());
  std::string text(5, '?');
  EXPECT_TRUE(file->Read(0, std::as_writable_bytes(std::span(text))).ok());
}

TEST_F(PageFileTest, AFileIsThereFromOpenToRemove) {
  const auto folder = OpenPageFolder(path_).ValueOrDie();
  EXPECT_FALSE(folder->Has("a").ValueOrDie());
  ASSERT_TRUE(folder->Open("a").ok());
  EXPECT_TRUE(folder->Has("a").ValueOrDie());
  ASSERT_TRUE(folder->Remove("a").ok());
  EXPECT_FALSE(folder->Has("a").ValueOrDie());
}

TEST_F(PageFileTest, AFolderHasOneUserAtATime) {
  auto folder = OpenPageFolder(path_).ValueOrDie();
  EXPECT_EQ(nullptr, OpenPageFolder(path_).ValueOrDie());
  folder.reset();
  EXPECT_NE(nullptr, OpenPageFolder(path_).ValueOrDie());
}

TEST_F(PageFileTest, NobodyElseReadsIt) {
  const auto folder = OpenPageFolder(path_).ValueOrDie();
  const auto file = folder->Open("a").ValueOrDie();
  struct stat facts {};
  ASSERT_EQ(0, ::stat(path_.c_str(), &facts));
  EXPECT_EQ(0700, facts.st_mode & 07777);
  ASSERT_EQ(0, ::stat((path_ + "/a").c_str(), &facts));
  EXPECT_EQ(0600, facts.st_mode & 07777);
}

TEST_F(PageFileTest, AFolderThatCannotBeMadeIsNamed) {
  std::filesystem::create_directories(root_);
  const int fd = ::open((root_ + "/file").c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_LE(0, fd);
  ::close(fd);
  const Status status = OpenPageFolder(root_ + "/file/x").status();
  EXPECT_EQ(ErrorKind::kInvalid, KindOf(status));
  EXPECT_THAT(status.message(), HasSubstr("cannot create " + root_ + "/file/x: Not a directory"));
}

TEST_F(PageFileTest, TheBootIdStaysTheSame) {
  const auto folder = OpenPageFolder(path_).ValueOrDie();
  EXPECT_THAT(folder->BootId().ValueOrDie(), SizeIs(36));
  EXPECT_EQ(folder->BootId().ValueOrDie(), folder->BootId().ValueOrDie());
}

}  // namespace
}  // namespace shopstream
